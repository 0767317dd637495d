"""The game itself: numpy and the standard library only, no emulator and no learning."""
