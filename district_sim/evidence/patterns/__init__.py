"""The patterns that the model must show."""
