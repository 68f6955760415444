"""Write PDF: digital pages with an embedded subset of Nanum, and one page that is only a picture, as from a scanner."""

import io
import random
from pathlib import Path

from sources_model import Block, Heading, Item, PageBreak, Paragraph, Source, Table, parse_blocks

FONTS = Path("/usr/share/fonts/truetype/nanum")
SCAN_DPI = 200


def _font(name: str) -> Path:
    path = FONTS / name
    if not path.exists():
        raise SystemExit(f"The font {path} is missing. Install it: apt-get install fonts-nanum")
    return path


def write_pdf(source: Source) -> bytes:
    """Return a PDF with a text layer, a running title and page numbers; the same bytes on every run."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.platypus import SimpleDocTemplate

    pdfmetrics.registerFont(TTFont("Nanum", str(_font("NanumGothic.ttf"))))
    pdfmetrics.registerFont(TTFont("NanumBold", str(_font("NanumGothicBold.ttf"))))
    title = source.meta["title"]

    def decorate(canvas, document) -> None:
        canvas.setFont("Nanum", 8)
        canvas.drawString(20 * mm, 285 * mm, f"{source.meta['company']} | {source.meta['number']}")
        canvas.drawCentredString(105 * mm, 10 * mm, f"- {document.page} -")

    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, title=title, author=source.meta["company"], invariant=1,
        leftMargin=20 * mm, rightMargin=20 * mm, topMargin=20 * mm, bottomMargin=20 * mm,
    )  # fmt: skip
    document.build(_flow(parse_blocks(source.body)), onFirstPage=decorate, onLaterPages=decorate)
    return out.getvalue()


def _flow(blocks: list[Block]) -> list:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import PageBreak as NewPage
    from reportlab.platypus import Paragraph as Text

    body = ParagraphStyle("body", fontName="Nanum", fontSize=10, leading=16, spaceAfter=4)
    item = ParagraphStyle("item", parent=body, leftIndent=14)
    sizes = {1: 18, 2: 13, 3: 11, 4: 10}
    flow: list = []
    for block in blocks:
        match block:
            case Heading(level, text):
                size = sizes[level]
                style = ParagraphStyle(
                    f"h{level}", fontName="NanumBold", fontSize=size, leading=size * 1.6, spaceBefore=8, spaceAfter=4
                )
                flow.append(Text(text, style))
            case Paragraph(text):
                flow.append(Text(text, body))
            case Item(text, number):
                flow.append(Text(f"{number}. {text}" if number else f"• {text}", item))
            case Table():
                flow.append(_table(block, body, 480))
            case PageBreak():
                flow.append(NewPage())
    return flow


def _table(table: Table, style, width: float):
    from reportlab.lib import colors
    from reportlab.platypus import Paragraph as Text
    from reportlab.platypus import Table as Grid

    column = width / len(table.header)

    def cell(value: "str | Table"):
        return _table(value, style, column - 12) if isinstance(value, Table) else Text(value, style)

    rows = [[cell(value) for value in row] for row in (table.header, *table.rows)]
    lines = [("GRID", (0, 0), (-1, -1), 0.5, colors.grey), ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke)]
    return Grid(rows, colWidths=[column] * len(table.header), style=[*lines, ("VALIGN", (0, 0), (-1, -1), "TOP")], spaceAfter=8)


def write_scan(source: Source) -> bytes:
    """Return a one-page PDF that holds a slightly skewed, noisy grey picture of the text and no text layer."""
    from PIL import Image, ImageDraw, ImageFont
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    width, height = (round(points / 72 * SCAN_DPI) for points in A4)
    image = Image.new("L", (width, height), 250)
    draw = ImageDraw.Draw(image)
    face = str(_font("NanumGothicBold.ttf"))  # thin strokes are lost to OCR after JPEG
    top = 120
    for block in parse_blocks(source.body):
        match block:
            case Heading(level, text):
                size = 54 if level == 1 else 42
            case Paragraph(text) | Item(text, _):
                size = 36
            case _:
                raise ValueError(f"{source.name}: a scanned page takes headings, paragraphs and lists only.")
        draw.text((140, top), text, fill=10, font=ImageFont.truetype(face, size))
        top += round(size * 1.6)
    image = image.rotate(0.2, resample=Image.Resampling.BICUBIC, fillcolor=250)
    noise = random.Random(7)
    for _ in range(100):
        image.putpixel((noise.randrange(width), noise.randrange(height)), noise.randrange(120, 230))
    picture = io.BytesIO()
    image.save(picture, "JPEG", quality=60, dpi=(SCAN_DPI, SCAN_DPI))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1, pageCompression=0)
    canvas.setTitle(source.meta["title"])
    picture.seek(0)
    canvas.drawImage(ImageReader(picture), 0, 0, *A4)
    canvas.save()
    return out.getvalue()
