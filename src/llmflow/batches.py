"""Sequences in pieces."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of `size` items in order, the last one shorter; nothing for no items."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
