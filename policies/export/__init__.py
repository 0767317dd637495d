"""From a tree to what runs elsewhere: the cartridge and the other forms of an export."""
