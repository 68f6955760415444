"""Tables as CSV that a spreadsheet opens as they are: Korean readable, and nothing in a cell runs."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads Korean as Latin letters."""
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """Return UTF-8 with byte order mark, a heading line, and a line a row; a missing or None value is an empty cell.

    Text that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection); numbers stay numbers.
    """
    target = io.StringIO(newline="")
    target.write(BYTE_ORDER_MARK)
    writer = csv.writer(target)
    writer.writerow([_cell(column) for column in columns])
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return target.getvalue().encode("utf-8", "replace")


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return value
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple | set | frozenset) else str(value)
    return "'" + text if text.startswith(_STARTS_FORMULA) else text
