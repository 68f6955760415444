"""Read the sources of the sample corpus: Markdown with a YAML header, or YAML for tables and records.

Personal data is written as `[[KIND:value]]`, so that the same source yields the document, the number of
pieces that a masker has to find, and the literal strings that may never appear in a store. `[[KEEP:value]]` marks
a number that only looks like personal data.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

PII = re.compile(r"\[\[([A-Z]+):(.+?)\]\]")
PII_KINDS = ("RRN", "FOREIGNER", "PHONE", "EMAIL", "CARD", "BUSINESS", "PASSPORT", "DRIVER", "ACCOUNT", "NAME")
KEEP = "KEEP"
FENCE = re.compile(r"^```table\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Heading:
    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Item:
    text: str
    number: int | None


@dataclass(frozen=True)
class Table:
    header: tuple[str, ...]
    rows: tuple[tuple["str | Table", ...], ...]


@dataclass(frozen=True)
class PageBreak:
    pass


@dataclass(frozen=True)
class Note:
    text: str


Block = Heading | Paragraph | Item | Table | PageBreak | Note


@dataclass(frozen=True)
class Source:
    """One document: `name` is its path inside corpus/, `meta` its header, `body` the text with the PII marks removed."""

    name: str
    meta: dict
    body: str
    pii: tuple[tuple[str, str], ...]
    keep: tuple[str, ...]

    @property
    def format(self) -> str:
        return "scan" if self.meta.get("scan") else self.name.rsplit(".", 1)[-1]


def read_sources(folder: Path) -> list[Source]:
    """Return every source below `folder`, sorted by name; a mark of an unknown kind raises ValueError."""
    return [read_source(path, folder) for path in sorted(folder.rglob("*")) if path.suffix in (".md", ".yaml")]


def read_source(path: Path, folder: Path) -> Source:
    marked = path.read_text(encoding="utf-8")
    marks = PII.findall(marked)
    pii = tuple((kind, value) for kind, value in marks if kind != KEEP)
    keep = tuple(value for kind, value in marks if kind == KEEP)
    unknown = sorted({kind for kind, _ in pii} - set(PII_KINDS))
    if unknown:
        raise ValueError(f"{path.name}: unknown kind of personal data {unknown}. Choose one of: {', '.join(PII_KINDS)}, {KEEP}.")
    text = PII.sub(lambda match: match[2], marked)
    name = path.relative_to(folder).as_posix().removesuffix(path.suffix)
    if path.suffix == ".yaml":
        # The marks go before YAML is read, so cells that look like numbers are quoted in the sources.
        return Source(name, yaml.safe_load(text), "", pii, keep)
    _, header, body = text.split("---\n", 2)
    return Source(name, yaml.safe_load(header), body.lstrip("\n"), pii, keep)


def parse_blocks(body: str) -> list[Block]:
    """Return the blocks of a Markdown body in order.

    One line is one paragraph; `<<page>>` breaks a page and `> ` starts a speaker note.
    """
    blocks: list[Block] = []
    position = 0
    for fence in FENCE.finditer(body):
        blocks += _parse_lines(body[position : fence.start()])
        blocks.append(_table(yaml.safe_load(fence[1])))
        position = fence.end()
    return blocks + _parse_lines(body[position:])


def _table(value: dict) -> Table:
    rows = tuple(tuple(_table(cell) if isinstance(cell, dict) else str(cell) for cell in row) for row in value["rows"])
    return Table(tuple(map(str, value["header"])), rows)


def _parse_lines(text: str) -> list[Block]:
    blocks: list[Block] = []
    grid: list[tuple[str, ...]] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            cells = tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
            if not all(set(cell) <= set("-:") for cell in cells):
                grid.append(cells)
            continue
        if grid:
            blocks.append(Table(grid[0], tuple(grid[1:])))
            grid = []
        block = _parse_line(line.strip())
        if block is not None:
            blocks.append(block)
    return blocks


def _parse_line(line: str) -> Block | None:
    if not line:
        return None
    if line == "<<page>>":
        return PageBreak()
    if match := re.match(r"(#{1,4}) (.+)", line):
        return Heading(len(match[1]), match[2])
    if match := re.match(r"(\d+)\. (.+)", line):
        return Item(match[2], int(match[1]))
    if line.startswith("- "):
        return Item(line[2:], None)
    if line.startswith("> "):
        return Note(line[2:])
    return Paragraph(line)
