"""What Alembic runs: the revisions on the connection it is handed, inside that connection's transaction."""

from alembic import context

from llmflow.adapters.sql_application_tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
