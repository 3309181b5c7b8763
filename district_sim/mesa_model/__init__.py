"""Step: the district as a Mesa model, its firms as agents."""
