"""`league eval`: frozen suites, their games, their report."""
