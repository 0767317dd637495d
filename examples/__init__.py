"""Programs to read and copy; nothing in the project imports them."""
