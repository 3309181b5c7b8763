"""Compile: numba's settings, vectors and keyed draws."""
