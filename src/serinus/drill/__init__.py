"""Drills: a canary broken on purpose, in a private copy, to see that the way back works and how long it takes."""
