"""Hits to a cited answer: one path, evaluated and served."""
