"""Compile: numba's settings, vectors, keyed draws, and what has the same bits on every processor."""
