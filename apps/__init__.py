"""Pages that people open: clients of llmflow, never imported by it."""
