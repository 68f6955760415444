"""One module a revision of the state database's tables."""
