"""What runs the game behind one protocol, `envs.backends.base.Backend`."""
