"""Write HTML, Markdown, plain text, CSV, JSON and mail."""

import csv
import html
import io
import json
from email.headerregistry import Address
from email.message import EmailMessage

from sources_model import Block, Heading, Item, Paragraph, Source, Table, parse_blocks


def write_plain(source: Source) -> bytes:
    """Return the body as it stands, in the encoding that the header names (UTF-8 when it names none)."""
    return source.body.encode(source.meta.get("encoding", "utf-8"))


def write_html(source: Source) -> bytes:
    """Return a page; a `script` in the header is put in, because a parser has to leave it out."""
    head = f'<meta charset="utf-8"><title>{html.escape(source.meta["title"])}</title>'
    script = f"<script>{source.meta['script']}</script>\n" if "script" in source.meta else ""
    page = f'<!DOCTYPE html>\n<html lang="{source.meta["language"]}">\n<head>{head}</head>\n<body>\n'
    return f"{page}{html_body(parse_blocks(source.body))}{script}</body>\n</html>\n".encode()


def html_body(blocks: list[Block]) -> str:
    """Return blocks as HTML, a run of list items in one list."""
    lines: list[str] = []
    opened = ""
    for block in blocks:
        wanted = ("ol" if block.number else "ul") if isinstance(block, Item) else ""
        if opened != wanted:
            lines += [f"</{opened}>"] if opened else []
            lines += [f"<{wanted}>"] if wanted else []
            opened = wanted
        match block:
            case Heading(level, text):
                lines.append(f"<h{level}>{html.escape(text)}</h{level}>")
            case Paragraph(text):
                lines.append(f"<p>{html.escape(text)}</p>")
            case Item(text, _):
                lines.append(f"<li>{html.escape(text)}</li>")
            case Table():
                lines.append(_html_table(block))
    return "\n".join([*lines, f"</{opened}>" if opened else ""]) + "\n"


def _html_table(table: Table) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table.header)
    rows = "\n".join("<tr>" + "".join(f"<td>{_html_cell(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return f"<table>\n<tr>{head}</tr>\n{rows}\n</table>"


def _html_cell(cell: "str | Table") -> str:
    return _html_table(cell) if isinstance(cell, Table) else html.escape(cell)


def write_csv(source: Source) -> bytes:
    """Return comma-separated rows under one header, with a byte order mark when the header asks for one (as Excel writes it)."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([source.meta["header"], *source.meta["rows"]])
    return out.getvalue().encode("utf-8-sig" if source.meta.get("bom") else "utf-8")


def write_json(source: Source) -> bytes:
    """Return the `data` of the source as indented JSON with Korean letters as they are."""
    return (json.dumps(source.meta["data"], ensure_ascii=False, indent=2) + "\n").encode()


def write_eml(source: Source) -> bytes:
    """Return a mail with fixed headers; `html: true` sends an HTML body alone."""
    message = EmailMessage()
    message["From"] = _address(source.meta["from"])
    message["To"] = [_address(person) for person in source.meta["to"]]
    message["Subject"] = source.meta["title"]
    message["Date"] = source.meta["date"]
    message["Message-ID"] = f"<{source.name.replace('/', '.')}@mail.example.com>"
    if source.meta.get("html"):
        message.set_content(f"<html><body>\n{html_body(parse_blocks(source.body))}</body></html>\n", subtype="html", cte="base64")
    else:
        message.set_content(source.body, cte="base64")
    return message.as_bytes()


def _address(person: dict) -> Address:
    return Address(display_name=person["name"], addr_spec=person["address"])
