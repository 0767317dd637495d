"""Holds the implementations of the game against each other, byte by byte."""
