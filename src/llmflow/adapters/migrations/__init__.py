"""Alembic's migrations of the state database; llmflow.adapters.sql_migrations runs them."""
