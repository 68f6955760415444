"""XLSX and XLS sheets as records."""

import datetime as dt
import io
from collections.abc import Iterable, Iterator

from llmflow.errors import DocumentError
from llmflow.ingestion.parsing.guards import check_archive, check_records
from llmflow.ingestion.parsing.outcome import Reading
from llmflow.ingestion.parsing.records import row_elements
from llmflow.ingestion.parsing.settings import ParserSettings
from llmflow.types import Element, ElementKind
from llmflow.wording import said

_MAX_COLUMNS = 1000


def read_xlsx(data: bytes, settings: ParserSettings) -> Reading:
    """Return each sheet as a TITLE and its rows as RECORDs; blank rows part the tables of a sheet."""
    check_archive(data, settings)
    import warnings

    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl comments on styles that it skips
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            names, sheets = [], []
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # declared sizes are often wrong
                names.append(sheet.title)
                sheets.append(list(_limit(sheet.iter_rows(values_only=True, max_col=_MAX_COLUMNS), settings)))
            book.close()
    except DocumentError:
        raise
    except Exception as exc:  # openpyxl raises whatever the damage leads to
        raise DocumentError(said("excel.damaged", reason=exc)) from exc
    return _reading(names, sheets, settings)


def read_xls(data: bytes, settings: ParserSettings) -> Reading:
    """As `read_xlsx`, for the format before 2007."""
    import xlrd

    try:
        with xlrd.open_workbook(file_contents=data, logfile=io.StringIO(), on_demand=True) as book:
            names = book.sheet_names()
            sheets = [
                list(_limit(_xls_rows(book.sheet_by_index(index), book.datemode), settings)) for index in range(book.nsheets)
            ]
    except DocumentError:
        raise
    except Exception as exc:  # xlrd raises whatever the damage leads to
        if "encrypt" in str(exc).lower():
            raise DocumentError(said("excel.password")) from exc
        raise DocumentError(said("excel.damaged", reason=exc)) from exc
    return _reading(names, sheets, settings)


def _limit(rows: Iterable[Iterable[object]], settings: ParserSettings) -> Iterator[list[str]]:
    count = 0
    for row in rows:
        cells = [_text(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        count += bool(cells)
        check_records(count, settings)
        yield cells


def _xls_rows(sheet, date_mode: int) -> Iterator[list[object]]:
    import xlrd

    for row in range(sheet.nrows):
        values: list[object] = []
        for cell in sheet.row(row):
            if cell.ctype == xlrd.XL_CELL_DATE:
                try:
                    values.append(xlrd.xldate_as_datetime(cell.value, 1 if date_mode else 0))
                    continue
                except (ValueError, OverflowError, xlrd.xldate.XLDateError):
                    pass
            values.append(bool(cell.value) if cell.ctype == xlrd.XL_CELL_BOOLEAN else cell.value)
        yield values


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(round(value, 10))
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "minutes")
    return str(value).strip()


def _reading(names: list[str], sheets: list[list[list[str]]], settings: ParserSettings) -> Reading:
    elements: list[Element] = []
    for page, (name, rows) in enumerate(zip(names, sheets, strict=True), start=1):
        found = [element for block in _blocks(rows) for element in row_elements(block, settings, page)]
        if found:
            elements.append(Element(ElementKind.TITLE, name, page=page, level=1))
            elements.extend(found)
    return Reading(elements, pages=len(names))


def _blocks(rows: list[list[str]]) -> Iterator[list[list[str]]]:
    block: list[list[str]] = []
    for row in [*rows, []]:
        if row:
            block.append(row)
        elif block:
            yield _without_margin(block)
            block = []


def _without_margin(block: list[list[str]]) -> list[list[str]]:
    """Tables often start in column B or later: drop the columns before."""
    margin = min(next(index for index, cell in enumerate(row) if cell) for row in block)
    return [row[margin:] for row in block]
