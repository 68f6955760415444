"""What every route shares: bodies, events, errors, cookies, headers."""
