"""Formulas over results of games: numpy and scipy only."""
