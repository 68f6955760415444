"""Judged sets, metrics, run files, reports: pure."""
