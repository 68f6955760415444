"""Rows of instruction files as they stand: JSON, JSON Lines, CSV, TSV, in UTF-8 or the encodings Korean offices write."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmflow.errors import DatasetError

ENCODINGS = ("utf-8-sig", "cp949", "utf-16")
SUFFIXES = (".json", ".jsonl", ".csv", ".tsv")


@dataclass(frozen=True, slots=True)
class RawRow:
    number: int
    """From 1; the line of a JSON Lines file, else the position of the row (a CSV's heading is not counted)."""
    value: Any
    problem: str = ""
    """Why the row could not even be read; `value` is None then."""


def read_raw_rows(path: Path) -> Iterator[RawRow]:
    """Yield every row in order; a row that cannot be read says so and the rest goes on.

    Raises DatasetError where the file itself cannot be read.
    """
    if path.suffix not in SUFFIXES:
        raise DatasetError(f"{path}: files of kind '{path.suffix}' are not read. Choose one of: {', '.join(SUFFIXES)}.")
    text = _text(path)
    if path.suffix in (".csv", ".tsv"):
        yield from _csv_rows(text, "\t" if path.suffix == ".tsv" else ",", path)
    elif path.suffix == ".jsonl":
        yield from _json_lines(text)
    else:
        yield from _json_rows(text, path)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise DatasetError(
            f"{path}: cannot be read ({exc.strerror}). Check file_name: it is relative to the description."
        ) from exc
    for encoding in ENCODINGS if not raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-16",):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DatasetError(f"{path}: is in none of the encodings {', '.join(ENCODINGS)}. Save it as UTF-8.")


def _json_rows(text: str, path: Path) -> Iterator[RawRow]:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as exc:
        if exc.msg == "Extra data":  # JSON Lines under the name of JSON
            yield from _json_lines(text)
            return
        raise DatasetError(f"{path}: not valid JSON ({exc.msg}, line {exc.lineno}, column {exc.colno}). Correct it.") from exc
    if not isinstance(values, list):
        raise DatasetError(f"{path}: a list of rows is expected, not {type(values).__name__}.")
    for number, value in enumerate(values, start=1):
        yield RawRow(number, value)


def _json_lines(text: str) -> Iterator[RawRow]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield RawRow(number, json.loads(line))
            except json.JSONDecodeError as exc:
                yield RawRow(number, None, f"not valid JSON ({exc.msg} at column {exc.colno})")


def _csv_rows(text: str, delimiter: str, path: Path) -> Iterator[RawRow]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = next(reader)
    except (StopIteration, csv.Error) as exc:
        raise DatasetError(f"{path}: has no heading. Its first row names the columns.") from exc
    number = 0
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            yield RawRow(number + 1, None, f"not valid CSV ({exc})")
            return  # an open quote has swallowed the rest: nothing after it can be trusted
        if not fields:
            continue
        number += 1
        if len(fields) != len(names):
            yield RawRow(number, None, f"{len(fields)} fields under {len(names)} columns")
        else:
            yield RawRow(number, dict(zip(names, fields, strict=True)))
