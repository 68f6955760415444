"""The chat: a Gradio page and its HTTP API in one FastAPI application."""
