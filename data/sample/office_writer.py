"""Write DOCX, PPTX and XLSX with fixed dates, so that a rebuild gives the same bytes."""

# python-pptx types a shape by its base class and a placeholder as optional.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false

import datetime as dt
import io
import re
import zipfile

from sources_model import Heading, Item, Note, PageBreak, Paragraph, Source, Table, parse_blocks

FIXED = dt.datetime(2026, 3, 2, 9, 0, 0)


def fix_zip(data: bytes) -> bytes:
    """Return the archive with members in their order, every timestamp fixed and the modified date of the properties too."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for member in old.namelist():
            content = old.read(member)
            if member == "docProps/core.xml":
                stamp = f"{FIXED:%Y-%m-%dT%H:%M:%SZ}".encode()
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?", stamp, content)
            info = zipfile.ZipInfo(member, date_time=(2026, 3, 2, 9, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, content)
    return out.getvalue()


def _describe(properties, source: Source) -> None:
    properties.title, properties.author = source.meta["title"], source.meta["company"]
    properties.created = properties.modified = FIXED
    properties.last_modified_by = source.meta["company"]


def write_docx(source: Source) -> bytes:
    """Return a Word document with heading styles, lists, nested tables and a page number field."""
    import docx
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    document = docx.Document()
    _describe(document.core_properties, source)
    for block in parse_blocks(source.body):
        match block:
            case Heading(1, text):
                document.add_heading(text, 0)
            case Heading(level, text):
                document.add_heading(text, level - 1)
            case Paragraph(text):
                document.add_paragraph(text)
            case Item(text, number):
                document.add_paragraph(text, style="List Number" if number else "List Bullet")
            case Table():
                _fill_docx(document.add_table(len(block.rows) + 1, len(block.header), style="Table Grid"), block)
            case PageBreak():
                document.add_page_break()
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    document.sections[0].footer.paragraphs[0]._p.append(field)
    out = io.BytesIO()
    document.save(out)
    return fix_zip(out.getvalue())


def _fill_docx(grid, table: Table) -> None:
    for grid_row, row in zip(grid.rows, (table.header, *table.rows), strict=True):
        for cell, value in zip(grid_row.cells, row, strict=True):
            if isinstance(value, Table):
                inner = cell.add_table(len(value.rows) + 1, len(value.header))
                inner.style = "Table Grid"
                _fill_docx(inner, value)
                cell.add_paragraph()
            else:
                cell.text = value


def write_pptx(source: Source) -> bytes:
    """Return slides: one for the title, one for each second-level heading, with bullets, a table and speaker notes."""
    from pptx import Presentation
    from pptx.util import Inches, Pt

    deck = Presentation()
    _describe(deck.core_properties, source)
    slide = deck.slides.add_slide(deck.slide_layouts[0])
    frame = slide.placeholders[1].text_frame
    first = True
    for block in parse_blocks(source.body):
        match block:
            case Heading(1, text):
                slide.shapes.title.text = text
            case Heading(_, text):
                slide = deck.slides.add_slide(deck.slide_layouts[1])
                slide.shapes.title.text = text
                frame, first = slide.placeholders[1].text_frame, True
            case Paragraph(text) | Item(text, _):
                paragraph = frame.paragraphs[0] if first else frame.add_paragraph()
                paragraph.text, first = text, False
                paragraph.font.size = Pt(18)
            case Note(text):
                slide.notes_slide.notes_text_frame.text = text
            case Table():
                shape = slide.shapes.add_table(
                    len(block.rows) + 1, len(block.header), Inches(0.6), Inches(4.2), Inches(8.8), Inches(2)
                )
                for row, values in enumerate((block.header, *block.rows)):
                    for column, value in enumerate(values):
                        shape.table.cell(row, column).text = str(value)
    out = io.BytesIO()
    deck.save(out)
    return fix_zip(out.getvalue())


def write_xlsx(source: Source) -> bytes:
    """Return a workbook with one header row on each sheet."""
    import openpyxl
    from openpyxl.styles import Font

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for sheet in source.meta["sheets"]:
        page = book.create_sheet(sheet["name"])
        for row in (sheet["header"], *sheet["rows"]):
            if len(row) != len(sheet["header"]):
                raise ValueError(f"{source.name}: the row {row} of sheet {sheet['name']} does not fit its header.")
            page.append(row)
        for cell in page[1]:
            cell.font = Font(bold=True)
    book.properties.title, book.properties.creator = source.meta["title"], source.meta["company"]
    book.properties.created = FIXED
    out = io.BytesIO()
    book.save(out)
    return fix_zip(out.getvalue())
