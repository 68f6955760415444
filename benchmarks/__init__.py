"""Measurements and long tests: python -m benchmarks.run, python -m benchmarks.kill_test."""
