"""What `league bench` measures, one file each."""
