"""What `league verify` and `league rom verify` compare."""
