"""The serving pointer as one setting of the state database: every process of every host reads the same one, at each request."""

import json
from dataclasses import asdict
from typing import Any, Protocol

from llmflow.errors import StoreCorrupt
from llmflow.ports import Pointer, ServedAdapter


class PointerState(Protocol):
    """The part of StateStore that holds settings."""

    def setting(self, key: str) -> str | None: ...

    def set_setting(self, key: str, value: str) -> None: ...

    def close(self) -> None: ...


class StatePointers:
    """PointerStore over the settings of a state store. Setting a row is one transaction, so a flip is never seen half."""

    def __init__(self, state: PointerState):
        self._state = state

    def read(self, alias: str) -> Pointer | None:
        text = self._state.setting(_key(alias))
        if text is None:
            return None
        try:
            row = json.loads(text)
            row |= {
                "replicas": tuple(row["replicas"]),
                "champion": _adapter(row["champion"]),
                "previous": _adapter(row["previous"]),
            }
            return Pointer(**row)
        except (ValueError, KeyError, TypeError) as exc:
            raise StoreCorrupt(
                f"The serving pointer '{alias}' cannot be read: {exc}. Write it anew: llmflow models sync"
            ) from exc

    def write(self, alias: str, pointer: Pointer) -> None:
        self._state.set_setting(_key(alias), json.dumps(asdict(pointer), ensure_ascii=False))


def _adapter(row: dict[str, Any] | None) -> ServedAdapter | None:
    return ServedAdapter(**row) if row else None


def _key(alias: str) -> str:
    return f"serving.{alias}"
