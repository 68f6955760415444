"""Kedro datasets whose load() opens an adapter."""
