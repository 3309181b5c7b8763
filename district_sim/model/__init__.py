"""Happen: the district's state, what a quarter does to it, and what is observed."""
