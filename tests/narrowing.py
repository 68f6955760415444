"""What a narrowed question may find in any store: readers, spaces and the documents that each then sees."""

from llmflow.types import EVERYONE, Principal, Space

ME = Principal("acme", frozenset({"sales", "user:me"}), "me")
SPACELESS = Principal("acme", frozenset({"sales"}), "program")
"""Reads the same departments and has no space of its own."""
DOCUMENTS: tuple[tuple[str, str, str], ...] = (
    ("all", "acme", EVERYONE),
    ("law", "acme", "law"),
    ("mine", "acme", "user:me"),
    ("rival", "rival", "user:me"),
    ("sales", "acme", "sales"),
    ("yours", "acme", "user:you"),
)
"""Name, tenant and group of one document each, by name."""
SEEN: tuple[tuple[Principal, Space, list[str]], ...] = (
    (ME, Space.ALL, ["all", "mine", "sales"]),
    (ME, Space.OWN, ["mine"]),
    (ME, Space.SHARED, ["all", "sales"]),
    (SPACELESS, Space.ALL, ["all", "sales"]),
    (SPACELESS, Space.OWN, []),
    (SPACELESS, Space.SHARED, ["all", "sales"]),
)
