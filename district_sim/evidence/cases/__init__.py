"""Real districts: a scenario that starts as a district stood in some year, and figures to compare later years with.

A case NAME is three files in `scenarios/cases/`: `_NAME.yaml`, the district as it stood, with the source of each
figure; `NAME.targets.yaml`, what was observed and which parameters may be fitted to it; `NAME.yaml`, what the fit
wrote.
"""
