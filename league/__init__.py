"""Who plays whom, who is best, and the command line. Importing this package costs nothing."""

__version__ = "0.1.0"
