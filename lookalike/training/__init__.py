"""Training: distil `compact` from a teacher, or train classifiers. `python -m lookalike.training --help`."""
