"""Run: from a scenario and a seed to a table of indicators and a label."""
