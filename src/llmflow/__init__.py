"""llmflow: from documents to a chat that an organisation can trust, inside its own network."""

__version__ = "0.1.0"
