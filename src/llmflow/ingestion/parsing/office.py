"""Word and PowerPoint files through unstructured; headings come from styles and title placeholders, never from guesses."""

import contextlib
import importlib
import io
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree, html  # pyright: ignore[reportAttributeAccessIssue]

from llmflow.errors import DocumentError
from llmflow.ingestion.parsing.child import run_child
from llmflow.ingestion.parsing.guards import check_archive
from llmflow.ingestion.parsing.html import read_table
from llmflow.ingestion.parsing.offline import install_offline_sentences
from llmflow.ingestion.parsing.outcome import Reading
from llmflow.ingestion.parsing.settings import ParserSettings
from llmflow.types import Element, ElementKind
from llmflow.wording import said

if TYPE_CHECKING:
    from unstructured.documents.elements import Element as Piece

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING_NAME = re.compile(r"^(?:heading|제목|개요)\s*([1-9])$", re.I)
_SENTENCE_END = re.compile(r"[.!?。]['\")\]]?$")
_LONGEST_HEADING = 200


def read_docx(data: bytes, settings: ParserSettings) -> Reading:
    """Return the body, each distinct header and footer once, then text boxes and notes, which unstructured leaves out."""
    check_archive(data, settings)
    install_offline_sentences()
    from unstructured.partition.docx import partition_docx

    try:
        pieces = partition_docx(file=io.BytesIO(data), languages=[""])
        levels = _heading_levels(data)
        extra = list(_boxes_and_notes(data))
        title = _core_title(data)
    except DocumentError:
        raise
    except Exception as exc:  # python-docx raises whatever the damage leads to
        raise DocumentError(_damaged("Word", exc)) from exc
    elements = [_with_level(element, levels) for element in _elements(pieces, trust_depth=True)]
    known = {" ".join(element.text.split()) for element in elements}
    elements.extend(Element(ElementKind.TEXT, text) for text in extra if " ".join(text.split()) not in known)
    numbers = [element.page for element in elements if element.page]
    return Reading(elements, title=title, pages=max(numbers, default=None))


def read_pptx(data: bytes, settings: ParserSettings) -> Reading:
    """Return slides in order, notes after their slide; `page` is the slide number."""
    check_archive(data, settings)
    install_offline_sentences()
    from unstructured.partition.pptx import partition_pptx

    try:
        pieces = partition_pptx(file=io.BytesIO(data), languages=[""], include_slide_notes=True)
        title = _core_title(data)
    except Exception as exc:  # python-pptx raises whatever the damage leads to
        raise DocumentError(_damaged("PowerPoint", exc)) from exc
    elements = list(_elements(pieces, trust_depth=False))
    numbers = [element.page for element in elements if element.page]
    return Reading(elements, title=title if title != "PowerPoint Presentation" else "", pages=max(numbers, default=None))


def convert_legacy(data: bytes, source: str, target: str, settings: ParserSettings) -> bytes:
    """Return a DOC or PPT file as DOCX or PPTX, made by LibreOffice.

    Raises DocumentError naming the remedy without LibreOffice, or when it refuses the file.
    """
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        raise DocumentError(said("office.missing", source=source.upper(), target=target.upper()))
    with tempfile.TemporaryDirectory() as folder:
        original = Path(folder, f"document.{source}")
        original.write_bytes(data)
        command = [program, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", target]
        try:
            run_child([*command, "--outdir", folder, str(original)], timeout_s=settings.converter_seconds)
        except subprocess.TimeoutExpired as exc:
            raise DocumentError(said("office.too_slow", seconds=settings.converter_seconds, target=target.upper())) from exc
        made = original.with_suffix(f".{target}")
        if not made.is_file():
            raise DocumentError(said("office.failed", source=source.upper(), target=target.upper()))
        return made.read_bytes()


def load_readers() -> None:
    """Import what reads Word, PowerPoint and Excel: seconds in a fresh process. What is not installed is told with the file."""
    install_offline_sentences()
    for name in ("docx", "pptx"):
        with contextlib.suppress(ImportError):
            importlib.import_module(f"unstructured.partition.{name}")
    for name in ("openpyxl", "pypdfium2"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _damaged(application: str, exc: Exception) -> str:
    return said("office.damaged", application=application, reason=exc or type(exc).__name__)


def _elements(pieces: "list[Piece]", trust_depth: bool) -> Iterator[Element]:
    """On slides only a Title of depth 0 stands in the title placeholder; deeper ones are short text that lacks a verb."""
    seen: set[str] = set()
    for piece in pieces:
        text, page, depth = piece.text or "", piece.metadata.page_number, piece.metadata.category_depth
        if not text.strip():
            continue
        if piece.category in ("Header", "Footer"):
            if text not in seen and not text.strip().isdigit():
                seen.add(text)
                yield Element(ElementKind.TEXT, text, page=page)
        elif piece.category == "Table" and piece.metadata.text_as_html:
            yield from _table(piece.metadata.text_as_html, page)
        elif piece.category == "ListItem":
            yield Element(ElementKind.LIST_ITEM, text, page=page)
        elif piece.category == "Title" and _is_heading(text) and (trust_depth or not depth):
            yield Element(ElementKind.TITLE, " ".join(text.split()), page=page, level=(depth or 0) + 1)
        else:
            yield Element(ElementKind.TEXT, text, page=page)


def _is_heading(text: str) -> bool:
    return len(text) <= _LONGEST_HEADING and not (len(text) > 60 and _SENTENCE_END.search(text.strip()))


def _table(source: str, page: int | None) -> Iterator[Element]:
    table = html.fragment_fromstring(source)
    for element in read_table(table):
        yield Element(element.kind, element.text, page=page, html=element.html)


def _with_level(element: Element, levels: dict[str, int]) -> Element:
    if element.kind is not ElementKind.TEXT or not _is_heading(element.text):
        return element
    level = levels.get(" ".join(element.text.split()), 0)
    if level:
        return Element(ElementKind.TITLE, " ".join(element.text.split()), page=element.page, level=level)
    return element


def _heading_levels(data: bytes) -> dict[str, int]:
    """Paragraph text to level for headings that unstructured misses: outline levels and the Korean names of heading styles."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        if "word/document.xml" not in names:
            return {}
        styles = _style_levels(archive.read("word/styles.xml")) if "word/styles.xml" in names else {}
        root = _parse(archive.read("word/document.xml"))
    levels: dict[str, int] = {}
    for paragraph in root.iter(f"{_W}p"):
        properties = paragraph.find(f"{_W}pPr")
        if properties is None:
            continue
        outline, style = properties.find(f"{_W}outlineLvl"), properties.find(f"{_W}pStyle")
        level = _outline(outline) or (styles.get(style.get(f"{_W}val", ""), 0) if style is not None else 0)
        if level:
            levels[" ".join(_text_of(paragraph).split())] = level
    levels.pop("", None)
    return levels


def _style_levels(source: bytes) -> dict[str, int]:
    levels: dict[str, int] = {}
    for style in _parse(source).iter(f"{_W}style"):
        name = style.find(f"{_W}name")
        match = _HEADING_NAME.match(name.get(f"{_W}val", "")) if name is not None else None
        level = int(match[1]) if match else _outline(style.find(f"{_W}pPr/{_W}outlineLvl"))
        if level:
            levels[style.get(f"{_W}styleId", "")] = level
    return levels


def _outline(node: etree._Element | None) -> int:
    value = node.get(f"{_W}val", "") if node is not None else ""
    return int(value) + 1 if value.isdecimal() and int(value) < 9 else 0  # 9 is body text


def _boxes_and_notes(data: bytes) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        body = archive.read("word/document.xml") if "word/document.xml" in names else b""
        if b"txbxContent" in body:
            for box in _parse(body).iter(f"{_W}txbxContent"):
                if not any(parent.tag.endswith("}Fallback") for parent in box.iterancestors()):  # an older copy of the same box
                    yield from _paragraphs(box)
        for name in names:
            if re.fullmatch(r"word/(?:footnotes|endnotes|comments)\.xml", name):
                yield from _paragraphs(_parse(archive.read(name)))


def _paragraphs(node: etree._Element) -> Iterator[str]:
    for paragraph in node.iter(f"{_W}p"):
        text = _text_of(paragraph)
        if text.strip():
            yield text.strip()


def _text_of(paragraph: etree._Element) -> str:
    parts = {f"{_W}tab": "\t", f"{_W}br": "\n"}
    return "".join((node.text or "") if node.tag == f"{_W}t" else parts.get(node.tag, "") for node in paragraph.iter())


def _core_title(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if "docProps/core.xml" not in archive.namelist():
            return ""
        node = _parse(archive.read("docProps/core.xml")).find("{http://purl.org/dc/elements/1.1/}title")
    return (node.text or "").strip() if node is not None else ""


def _parse(source: bytes) -> etree._Element:
    return etree.fromstring(source, etree.XMLParser(resolve_entities=False, no_network=True, recover=True, huge_tree=True))
