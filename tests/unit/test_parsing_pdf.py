"""PDF: headings by size, paragraphs joined, tables by columns, running heads dropped, scans read by OCR."""

import io
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from llmflow.errors import DocumentError
from llmflow.ingestion.parsing import ParserSettings, parse_file
from llmflow.ingestion.parsing.pdf_layout import join_lines
from llmflow.ingestion.parsing.pdf_lines import Line
from llmflow.types import Box, ElementKind, ParsedDocument

SETTINGS = ParserSettings(ocr=False)
PIECES = Sequence[tuple[float, float, str, str, float]]  # left, height above the bottom edge, text, font, size


def _languages() -> str:
    program = shutil.which("tesseract")
    return subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=False).stdout if program else ""


needs_tesseract = pytest.mark.skipif("kor" not in _languages(), reason="tesseract-ocr-kor is not installed")


_UPRIGHT = {90: (595, 0), 180: (595, 842), 270: (0, 595)}  # where the origin goes so that a turned page reads upright


def make(path: Path, pages: Sequence[PIECES], rotate: int = 0) -> Path:
    pdfmetrics.registerFont(UnicodeCIDFont("HYGothic-Medium"))
    canvas = Canvas(str(path), pagesize=(595, 842))
    for pieces in pages:
        if rotate:
            canvas.setPageRotation(rotate)
            canvas.translate(*_UPRIGHT[rotate])
            canvas.rotate(rotate)
        for left, height, text, font, size in pieces:
            canvas.setFont(font, size)
            canvas.drawString(left, height, text)
        canvas.showPage()
    canvas.save()
    return path


def read(path: Path, settings: ParserSettings = SETTINGS) -> list[tuple[ElementKind, int, str]]:
    return [(element.kind, element.level, element.text) for element in parse_file(path, settings).elements]


def test_headings_paragraphs_and_lists(tmp_path: Path) -> None:
    body, bold = "Helvetica", "Helvetica-Bold"
    page = [
        (72, 780, "Travel rules", bold, 20),
        (72, 740, "Scope", bold, 14),
        (72, 720, "These rules hold for every journey that an employee makes on behalf of the", body, 10),
        (72, 708, "company, at home and abroad.", body, 10),
        (72, 680, "Expenses", bold, 14),
        (72, 660, "- Trains in second class", body, 10),
        (72, 648, "- Flights in economy", body, 10),
    ]
    assert read(make(tmp_path / "a.pdf", [page])) == [
        (ElementKind.TITLE, 1, "Travel rules"),
        (ElementKind.TITLE, 2, "Scope"),
        (
            ElementKind.TEXT,
            0,
            "These rules hold for every journey that an employee makes on behalf of the company, at home and abroad.",
        ),
        (ElementKind.TITLE, 2, "Expenses"),
        (ElementKind.LIST_ITEM, 0, "- Trains in second class"),
        (ElementKind.LIST_ITEM, 0, "- Flights in economy"),
    ]


def test_korean_text_with_page_and_box(tmp_path: Path) -> None:
    path = make(tmp_path / "a.pdf", [[(72, 742, "연차 휴가는 십오 일이다.", "HYGothic-Medium", 10)]] * 2)
    document = parse_file(path, SETTINGS)
    assert [(element.text, element.page) for element in document.elements] == [
        ("연차 휴가는 십오 일이다.", 1),
        ("연차 휴가는 십오 일이다.", 2),
    ]
    box = document.elements[0].box
    assert box is not None
    assert box.left == pytest.approx(72, abs=2)
    assert 85 < box.top < 95 < box.bottom < 105


def test_aligned_columns_become_a_table_and_long_cells_go_on(tmp_path: Path) -> None:
    rows = [
        ("Kind", "Days", 700),
        ("Annual leave", "15 days, more after", 685),
        ("", "three years", 673),
        ("Sick leave", "60 days", 658),
    ]
    rows += [("Parental leave", "365 days", 643)]
    page = [
        (left, height, text, "Helvetica", 10)
        for first, second, height in rows
        for left, text in ((72, first), (250, second))
        if text
    ]
    found = read(make(tmp_path / "a.pdf", [[(72, 740, "Kinds of leave are listed here.", "Helvetica", 10), *page]]))
    assert found[1] == (
        ElementKind.TABLE,
        0,
        "| Kind | Days |\n| --- | --- |\n| Annual leave | 15 days, more after three years |\n"
        "| Sick leave | 60 days |\n| Parental leave | 365 days |",
    )


def test_running_heads_and_page_numbers_go_and_the_text_stays(tmp_path: Path) -> None:
    pages = [
        [
            (72, 810, "Company handbook 2024", "Helvetica", 8),
            (72, 700, f"Paragraph number {number} says something.", "Helvetica", 10),
            (72, 685, f"A second line {'x' * number}.", "Helvetica", 10),
            (72, 670, f"A third line {'y' * number}.", "Helvetica", 10),
            (290, 30, f"- {number} -", "Helvetica", 8),
        ]
        for number in range(1, 6)
    ]
    text = " ".join(element.text for element in parse_file(make(tmp_path / "a.pdf", pages), SETTINGS).elements)
    assert "handbook" not in text
    assert "- 3 -" not in text
    assert all(f"Paragraph number {number} says" in text for number in range(1, 6))


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_rotated_pages_keep_their_lines(tmp_path: Path, rotate: int) -> None:
    page = [(72, 520, "First line of the page.", "Helvetica", 10), (72, 400, "Last line of the page.", "Helvetica", 10)]
    elements = parse_file(make(tmp_path / "a.pdf", [page], rotate), SETTINGS).elements
    assert [element.text for element in elements] == ["First line of the page.", "Last line of the page."]
    boxes = [element.box for element in elements if element.box]
    assert boxes[0].left == pytest.approx(72, abs=2)
    assert boxes[1].top - boxes[0].top == pytest.approx(120, abs=1)


def test_twelve_hundred_pages(tmp_path: Path) -> None:
    pages = [[(72, 700, f"Text of page {number} of the long report.", "Helvetica", 10)] for number in range(1, 1201)]
    document = parse_file(make(tmp_path / "a.pdf", pages), SETTINGS)
    assert document.pages == 1200
    assert "page 1200 of" in document.elements[-1].text
    assert len(document.elements) == 1200
    with pytest.raises(DocumentError, match="1,200 pages; at most 1,000"):
        parse_file(tmp_path / "a.pdf", ParserSettings(max_pages=1000))


def _line(text: str, hyphen: bool = False) -> Line:
    return Line(text, 1, Box(0, 0, 100, 10), 10, False, hyphen, ())


@pytest.mark.parametrize(
    ("lines", "known", "expected"),
    [
        ([_line("the ef", hyphen=True), _line("ficient way")], [], "the efficient way"),
        ([_line("a dual", hyphen=True), _line("encoder model")], ["dual-encoder"], "a dual-encoder model"),
        ([_line("a well-"), _line("known fact")], [], "a well- known fact"),
        ([_line("할부 이용금"), _line("액 전부")], ["이용금액"], "할부 이용금액 전부"),
        ([_line("할부 이용금액"), _line("전부")], ["이용금액"], "할부 이용금액 전부"),
    ],
)
def test_words_cut_at_line_ends(lines: list[Line], known: list[str], expected: str) -> None:
    assert join_lines(lines, Counter(known)) == expected


def _picture(text: str, font_size: int = 40) -> bytes:
    """A picture of Korean or English words, drawn by way of a PDF so that no font file is needed."""
    import pypdfium2 as pdfium

    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(700, 200))
    canvas.setFont("Helvetica", font_size)
    canvas.drawString(40, 100, text)
    canvas.save()
    image = pdfium.PdfDocument(buffer.getvalue())[0].render(scale=2).to_pil()
    result = io.BytesIO()
    image.save(result, "PNG")
    return result.getvalue()


def _scan(path: Path) -> Path:
    from reportlab.lib.utils import ImageReader

    canvas = Canvas(str(path), pagesize=(700, 400))
    canvas.drawString(72, 300, "A first page that has a text layer of its own.")
    canvas.showPage()
    canvas.drawImage(ImageReader(io.BytesIO(_picture("Annual leave is fifteen days"))), 0, 100, 700, 200)
    canvas.save()
    return path


@needs_tesseract
def test_scanned_pages_are_read_by_ocr_in_their_place(tmp_path: Path) -> None:
    document = parse_file(_scan(tmp_path / "a.pdf"), ParserSettings())
    assert [(element.kind, element.page) for element in document.elements] == [(ElementKind.TEXT, 1), (ElementKind.IMAGE, 2)]
    assert "fifteen days" in document.elements[1].text


def test_scans_without_ocr_are_reported(tmp_path: Path) -> None:
    document = parse_file(_scan(tmp_path / "a.pdf"), SETTINGS)
    assert "1 scanned page" in document.warnings[0]


def test_too_many_scans_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="max_ocr_pages"):
        parse_file(_scan(tmp_path / "a.pdf"), ParserSettings(max_ocr_pages=0))


@needs_tesseract
@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tiff"])
def test_pictures_are_read_by_ocr(tmp_path: Path, suffix: str) -> None:
    from PIL import Image

    path = tmp_path / f"a.{suffix}"
    Image.open(io.BytesIO(_picture("Meeting at three"))).convert("RGB").save(path)
    document: ParsedDocument = parse_file(path, ParserSettings())
    assert document.elements[0].kind is ElementKind.IMAGE
    assert "Meeting at three" in document.elements[0].text


def test_a_missing_tesseract_names_its_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(_picture("words"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DocumentError, match="tesseract-ocr-kor"):
        parse_file(path, ParserSettings())


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n broken", b"BM1234\x00\x00\x00\x00 broken"])
def test_broken_pictures(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(DocumentError, match="damaged"):
        parse_file(path, ParserSettings())
