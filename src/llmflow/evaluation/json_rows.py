"""Text files of JSON objects, read so that every complaint names file, line and field."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from llmflow.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Row:
    """A JSON object and where it stands; the getters raise DatasetError that names the place and the field."""

    where: str
    fields: Mapping[str, object]

    @classmethod
    def of(cls, where: str, value: object) -> "Row":
        """Return `value` as a row, or raise DatasetError if it is no object."""
        if not isinstance(value, dict):
            raise DatasetError(f"{where}: a JSON object is expected, not {type(value).__name__}. Write {{...}}.")
        return cls(where, value)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string field, numbers as text; without `default` it must be there and not be empty."""
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise DatasetError(f"{self.where}: field {name!r} must be text, not {json.dumps(value, ensure_ascii=False)[:60]}.")
        if default is None and not value:
            raise DatasetError(f"{self.where}: field {name!r} is empty. Fill it or remove the line.")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings; a missing one is empty."""
        values = self.fields.get(name) or []
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise DatasetError(f"{self.where}: field {name!r} must be a list of texts.")
        return tuple(cast("list[str]", values))

    def rows(self, name: str) -> list["Row"]:
        """Return a list of objects, which must be there."""
        values = self.fields.get(name)
        if not isinstance(values, list):
            raise DatasetError(f"{self.where}: field {name!r} must be a list of objects.")
        return [Row.of(f"{self.where} {name}[{position}]", value) for position, value in enumerate(values)]


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the objects of a JSON Lines file, plain or `.gz`, blank lines skipped."""
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            where = f"{path}:{number}"
            yield Row.of(where, parse_json(where, line))


def write_rows(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write JSON Lines, letters as they are."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8", newline="\n")


def parse_json(where: str, text: str) -> object:
    """Return what `text` holds; DatasetError names the column where it breaks."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        raise DatasetError(f"{where}: not valid JSON ({exc.msg} at column {exc.colno}). Correct or remove it.") from exc


@contextmanager
def _open(path: Path) -> Iterator[IO[str]]:
    """Open plain or gzipped UTF-8 text, a byte order mark ignored; what cannot be read becomes a DatasetError."""
    try:
        with gzip.open(path, "rt", encoding="utf-8-sig") if path.suffix == ".gz" else path.open(encoding="utf-8-sig") as file:
            yield cast("IO[str]", file)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as exc:
        raise DatasetError(f"{path}: cannot be read as UTF-8 text ({exc}). Check the file and its encoding.") from exc


def read_text(path: Path) -> str:
    """Return a whole UTF-8 file."""
    with _open(path) as file:
        return file.read()


def read_lines(path: Path) -> Iterator[str]:
    """Yield lines without their line ends."""
    with _open(path) as file:
        for line in file:
            yield line.rstrip("\r\n")


def require_unique(identifiers: Iterable[str], path: Path) -> None:
    """Raise DatasetError at the first id that comes twice."""
    seen: set[str] = set()
    for identifier in identifiers:
        if identifier in seen:
            raise DatasetError(f"{path}: id {identifier!r} stands twice. Ids are unique; rename or remove one.")
        seen.add(identifier)
