"""Policies and the game loop that runs them; they know no league and no command line."""
