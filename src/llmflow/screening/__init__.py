"""Is a text written for its readers, or for a model that reads it? Patterns, and a classifier that learned from strangers."""
