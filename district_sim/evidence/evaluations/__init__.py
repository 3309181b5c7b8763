"""Evaluations of policies, as published, made again on simulated firms.

`files` says what an evaluation was: who was served, how much, how long, against whom it was compared, and what was
found. `programme` does the same to districts, `estimate` has the estimators, `evaluate` puts what they find beside what
was published. Nothing in the model is fitted to it.
"""
