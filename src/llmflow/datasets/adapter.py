"""The one base of all datasets that open an adapter."""

from collections.abc import Callable
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError


class AdapterDataset(AbstractDataset):
    """A catalog entry whose load() returns an adapter; the same one at every load. It is never saved."""

    def __init__(self, **options: Any):
        self._options = options
        self._adapter: Any = None

    open: Callable[..., Any]
    """Returns the adapter for the entry's options; every dataset defines it."""

    def load(self) -> Any:
        if self._adapter is None:
            self._adapter = self.open(**self._options)
        return self._adapter

    def save(self, data: Any) -> NoReturn:
        raise DatasetError(f"{type(self).__name__} holds an adapter and is never written as a whole.")

    def _describe(self) -> dict[str, Any]:
        return {key: value for key, value in self._options.items() if key != "credentials"}

    def _exists(self) -> bool:
        return True
