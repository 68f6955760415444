"""Document to masked, analysed chunks: pure functions over files and text."""
