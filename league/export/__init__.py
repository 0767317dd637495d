"""`league export`: from a policy to the cartridge's tree, with its gates."""
