"""Judged sets, experiments and the gate of retrieval settings."""
