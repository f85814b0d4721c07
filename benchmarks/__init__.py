"""How fast it is, and how that grows. `python -m benchmarks --help`."""
