"""Say: names, numbers and tables for a reader."""
