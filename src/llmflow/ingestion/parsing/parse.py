"""One file to one parsed document."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from llmflow.errors import DocumentError, MissingDependency
from llmflow.ingestion.parsing.convert import read_with_pandoc
from llmflow.ingestion.parsing.detect import IMAGES, detect_format
from llmflow.ingestion.parsing.guards import check_archive, check_characters, check_size
from llmflow.ingestion.parsing.html import declared_encoding, read_html
from llmflow.ingestion.parsing.mail import read_eml, read_msg
from llmflow.ingestion.parsing.markdown import read_markdown
from llmflow.ingestion.parsing.markup import read_xml
from llmflow.ingestion.parsing.ocr import read_image
from llmflow.ingestion.parsing.office import convert_legacy, read_docx, read_pptx
from llmflow.ingestion.parsing.outcome import Reading
from llmflow.ingestion.parsing.pdf import read_pdf
from llmflow.ingestion.parsing.records import read_delimited, read_json
from llmflow.ingestion.parsing.settings import ParserSettings
from llmflow.ingestion.parsing.sheets import read_xls, read_xlsx
from llmflow.ingestion.parsing.text import clean, decode, read_text
from llmflow.types import Element, ElementKind, ParsedDocument
from llmflow.wording import said

_TEXT_FORMATS = frozenset(["txt", "md", "html", "xml", "csv", "tsv", "json", "rst", "org"])
_PANDOC_FORMATS = {"rtf": "rtf", "rst": "rst", "org": "org", "epub": "epub", "odt": "odt"}
_MAX_MAIL_DEPTH = 3
_LONGEST_TITLE = 300
_PICTURE_CARRIERS = frozenset({"docx", "pptx", "odt", "epub", "html", "eml", "msg"})
_TITLE_WITHIN = 10  # a first heading further down names a part, not the document


def parse_file(path: Path, settings: ParserSettings, name: str | None = None) -> ParsedDocument:
    """Return what stands in a file, elements in reading order and never empty.

    The content decides the format, `name` (the file's own by default) only where contents look alike. Text is NFC without
    control characters. Raises DocumentError with a reason fit for a person, also when a program such as Tesseract is
    missing; OSError when the file cannot be opened.
    """
    check_size(path.stat().st_size, settings)
    return parse_bytes(path.read_bytes(), name or path.name, settings)


def parse_bytes(data: bytes, name: str, settings: ParserSettings, depth: int = 0) -> ParsedDocument:
    """As `parse_file`, for content in memory; `depth` counts the mails around an attachment."""
    check_size(len(data), settings)
    kind = detect_format(data, name)
    warnings: list[str] = []
    try:
        reading = _read(data, kind, name, settings, depth, warnings)
    except MissingDependency as exc:
        raise DocumentError(str(exc)) from exc
    except RecursionError as exc:
        raise DocumentError(said("document.too_deep")) from exc
    except MemoryError as exc:
        raise DocumentError(said("document.memory")) from exc
    elements = tuple(_finish(reading.elements, settings))
    if not elements and kind in ("md", "html") and any(character.isalnum() for character in reading.title):
        elements = (Element(ElementKind.TITLE, clean(reading.title), level=1),)  # a page that is only its title
    if not elements:
        raise DocumentError(_no_text(kind))
    check_characters(sum(len(element.text) for element in elements), settings)
    return ParsedDocument(
        title=_title(reading, elements, name),
        format=kind,
        elements=elements,
        pages=reading.pages,
        warnings=(*warnings, *reading.warnings),
    )


def _read(data: bytes, kind: str, name: str, settings: ParserSettings, depth: int, warnings: list[str]) -> Reading:
    if kind in _TEXT_FORMATS:
        check_characters(len(data) // 4, settings)  # no encoding needs more than four bytes a character
        declared = declared_encoding(data) if kind in ("html", "xml") else None
        decoded = decode(data, declared)
        check_characters(len(decoded.text), settings)
        if decoded.repaired:
            warnings.append(f"{decoded.repaired} characters could not be decoded as {decoded.encoding} and were replaced.")
        return _read_decoded(clean(decoded.text), kind, settings)
    if kind in _PANDOC_FORMATS:
        if kind in ("epub", "odt"):
            check_archive(data, settings)
        return read_with_pandoc(data, _PANDOC_FORMATS[kind], settings)
    if kind in IMAGES:
        return read_image(data, settings)
    if kind in ("doc", "ppt"):
        return _read(convert_legacy(data, kind, kind + "x", settings), kind + "x", name, settings, depth, warnings)
    if kind in ("eml", "msg"):
        read_mail = read_eml if kind == "eml" else read_msg

        def read_attachment(content: bytes, attached: str) -> ParsedDocument:
            if depth >= _MAX_MAIL_DEPTH:
                raise DocumentError(said("mail.too_deep", levels=_MAX_MAIL_DEPTH))
            return parse_bytes(content, attached, settings, depth + 1)

        return read_mail(data, settings, read_attachment)
    readers = {"pdf": read_pdf, "docx": read_docx, "pptx": read_pptx, "xlsx": read_xlsx, "xls": read_xls}
    return readers[kind](data, settings)


def _read_decoded(text: str, kind: str, settings: ParserSettings) -> Reading:
    if kind == "html":
        return read_html(text)
    if kind == "md":
        return read_markdown(text)
    if kind == "xml":
        return read_xml(text, settings)
    if kind == "json":
        return read_json(text, settings)
    if kind in ("csv", "tsv"):
        return read_delimited(text, settings, "\t" if kind == "tsv" else None)
    if kind in _PANDOC_FORMATS:
        return read_with_pandoc(text.encode(), kind, settings)
    return read_text(text)


def _finish(elements: Iterable[Element], settings: ParserSettings) -> Iterable[Element]:
    """Clean texts, drop empty elements, cut pieces that are too long."""
    for element in elements:
        text = clean(element.text).strip("\n").rstrip()
        if not any(character.isalnum() for character in text):
            continue
        html = clean(element.html) if element.html else element.html
        if len(text) <= settings.max_element_characters:
            yield element if text == element.text and html == element.html else replace(element, text=text, html=html)
            continue
        for part in _cut(text, settings.max_element_characters):
            kind = ElementKind.TEXT if element.kind is ElementKind.TITLE else element.kind
            yield replace(element, kind=kind, level=0, text=part, html=None)


def _cut(text: str, limit: int) -> Iterable[str]:
    start = 0
    while start < len(text):
        end = min(start + limit, len(text))
        if end < len(text):
            breaks = [text.rfind(mark, start + limit // 2, end) for mark in ("\n", ". ", " ")]
            end = next((found + 1 for found in breaks if found > 0), end)
        part = text[start:end].strip()
        if part:
            yield part
        start = end


def _title(reading: Reading, elements: tuple[Element, ...], name: str) -> str:
    titles = [" ".join(clean(reading.title).split())]
    titles += [element.text for element in elements[:_TITLE_WITHIN] if element.kind is ElementKind.TITLE and element.level <= 1][
        :1
    ]
    stem = Path(name).stem or name
    found = next((title for title in titles if title), stem)
    return clean(found)[:_LONGEST_TITLE]


def _no_text(kind: str) -> str:
    if kind in _PICTURE_CARRIERS:
        return said("document.pictures_only", format=kind.upper())
    return said("document.nothing_to_read", format=kind.upper())
