"""Benchmarks of speed, memory and face recall. Run `python -m benchmarks --help`."""
