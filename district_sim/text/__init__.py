"""Say: names and numbers in front of a reader."""
