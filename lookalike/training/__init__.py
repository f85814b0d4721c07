"""The training room: networks of our own, taught from public faces. `python -m lookalike.training --help`."""
