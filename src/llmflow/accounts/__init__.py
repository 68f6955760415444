"""People and what they may do: pure rules, no storage and no web."""
