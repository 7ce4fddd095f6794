"""The measured targets. `python -m benchmarks` runs all; each module prints a table and writes JSON."""
