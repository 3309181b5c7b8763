"""district-sim: how industrial districts evolve under globalisation."""

__version__ = "0.1.0"
