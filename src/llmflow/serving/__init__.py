"""Composition root, chat service and API."""
