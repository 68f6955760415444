"""Kedro pipelines: pipeline.py wires, nodes.py translates."""
