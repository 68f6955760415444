"""Imports that leave torch and transformers out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident


@contextmanager
def without_models() -> Iterator[None]:
    """Hide torch and transformers from this thread's imports: spaCy and Presidio import both for parts that are not used here.

    They cost every worker 4 s and 0.3 GB. What is loaded already stays, and other threads import what they like.
    """
    owner = get_ident()

    class Hidden:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> None:
            if get_ident() == owner and name in ("torch", "transformers"):
                raise ModuleNotFoundError(f"{name} is hidden while a light library loads", name=name)

    sys.meta_path.insert(0, Hidden)  # pyright: ignore[reportArgumentType]
    try:
        yield
    finally:
        sys.meta_path.remove(Hidden)  # pyright: ignore[reportArgumentType]
