"""The district as a Mesa model."""
