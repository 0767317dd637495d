"""From a policy to a small decision tree that the cartridge's own processor can walk."""
