"""Question to hits: tokens, dense, full text, graph, fusion."""
