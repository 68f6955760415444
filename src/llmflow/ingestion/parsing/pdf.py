"""PDF to elements: pdfium's text with pages and boxes, headings by size and weight, OCR where a page has no text.

pdfium rather than unstructured's "fast" strategy (pdfminer): see docs for the figures.
"""

from collections import Counter
from typing import TYPE_CHECKING

from llmflow.errors import DocumentError, MissingDependency
from llmflow.ingestion.parsing.guards import check_characters, check_pages
from llmflow.ingestion.parsing.ocr import recognise
from llmflow.ingestion.parsing.outcome import Reading
from llmflow.ingestion.parsing.pdf_layout import drop_repeated, lines_to_elements
from llmflow.ingestion.parsing.pdf_lines import Line, page_lines
from llmflow.ingestion.parsing.settings import ParserSettings
from llmflow.types import Element, ElementKind
from llmflow.wording import said

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

_NEARLY_EMPTY = 20  # letters; a scan often carries a stamp or a page number as text
_UNREADABLE = 0.3  # share of letters without Unicode meaning above which a text layer is worthless


def read_pdf(data: bytes, settings: ParserSettings) -> Reading:
    """Return elements in reading order with page and box.

    Raises DocumentError for damaged and encrypted files and where nothing but pictures is left and OCR is off.
    """
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as exc:
        if "password" in str(exc).lower():
            raise DocumentError(said("pdf.password")) from exc
        raise DocumentError(said("pdf.damaged", reason=exc)) from exc
    try:
        count = len(document)
        check_pages(count, settings)
        return _read_pages(document, count, settings)
    finally:
        document.close()


def _read_pages(document: "PdfDocument", count: int, settings: ParserSettings) -> Reading:
    import pypdfium2 as pdfium

    pages: list[list[Line]] = []
    heights: list[float] = []
    scanned: list[int] = []
    warnings: list[str] = []
    characters = 0
    for index in range(count):
        try:
            page = document[index]
        except pdfium.PdfiumError:
            warnings.append(f"Page {index + 1} is damaged and was left out.")
            pages.append([])
            heights.append(0.0)
            continue
        lines = page_lines(page, index + 1)
        characters += sum(len(line.text) for line in lines)
        check_characters(characters, settings)
        if _needs_ocr(page, lines):
            scanned.append(index)
        pages.append(lines)
        heights.append(page.get_height())
        page.close()
    read = _read_scans(document, scanned, settings, warnings) if scanned else {}
    pages = [[] if index in read else lines for index, lines in enumerate(pages)]
    elements = _merge(lines_to_elements(drop_repeated(pages, heights)), read)
    if not elements and scanned:
        raise DocumentError(warnings[0] if warnings else said("pdf.no_text"))
    return Reading(elements, title=_title(document), pages=count, warnings=tuple(warnings))


def _needs_ocr(page: "PdfPage", lines: list[Line]) -> bool:
    import pypdfium2.raw as raw

    letters = Counter("good" if character.isalnum() else "bad" for line in lines for character in line.text if _counts(character))
    if letters["bad"] > _UNREADABLE * letters.total() and letters.total() > _NEARLY_EMPTY:
        return True
    if letters["good"] >= _NEARLY_EMPTY:
        return False
    width, height = page.get_size()
    pictures = [item.get_bounds() for item in page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,), max_depth=4)]
    covered = max(((right - left) * (top - bottom) for left, bottom, right, top in pictures), default=0.0)
    if covered > 0.05 * width * height:
        return True
    return not lines and any(
        True for _ in page.get_objects(filter=(raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_SHADING), max_depth=4)
    )


def _counts(character: str) -> bool:
    return character.isalnum() or "\ue000" <= character <= "\uf8ff" or character == "\ufffd" or character < "\x09"


def _read_scans(
    document: "PdfDocument", scanned: list[int], settings: ParserSettings, warnings: list[str]
) -> dict[int, list[str]]:
    if not settings.ocr:
        warnings.append(said("pdf.ocr_off", count=len(scanned)))
        return {}
    if len(scanned) > settings.max_ocr_pages:
        raise DocumentError(said("pdf.too_many_scans", count=len(scanned), most=settings.max_ocr_pages))
    read: dict[int, list[str]] = {}
    for index in scanned:
        page = document[index]
        width, height = page.get_size()
        scale = min(settings.ocr_dpi / 72, 6000 / max(width, height, 1))
        try:
            bitmap = page.render(scale=scale, grayscale=True)  # pyright: ignore[reportArgumentType]
            read[index] = recognise(bitmap.to_pil(), settings, round(72 * scale))
        except MissingDependency as exc:
            warnings.append(said("pdf.scans_left_out", count=len(scanned), reason=exc))
            return {}
        finally:
            page.close()
    return {index: texts for index, texts in read.items() if texts}


def _merge(elements: list[Element], read: dict[int, list[str]]) -> list[Element]:
    scans = [Element(ElementKind.IMAGE, text, page=index + 1) for index, texts in read.items() for text in texts]
    return sorted([*elements, *scans], key=lambda element: element.page or 0)


def _title(document: "PdfDocument") -> str:
    title = document.get_metadata_dict().get("Title", "").strip()
    useless = title.lower().startswith(("microsoft word", "untitled", "powerpoint", "slide 1")) or title.lower().endswith(
        (".doc", ".docx", ".pdf", ".hwp", ".indd", ".dvi")
    )
    return "" if useless else title
