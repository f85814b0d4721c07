"""How well a model does, in numbers that another can make again. `python -m lookalike.evaluation --help`."""
