"""The `league` commands, one file each."""
