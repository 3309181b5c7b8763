"""How sure: a posterior of a case's parameters, a check of it, and forecasts over its draws and luck."""
