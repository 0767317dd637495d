"""Players from outside: Python callables and commands that speak JSON lines."""
