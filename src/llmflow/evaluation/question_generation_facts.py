"""Facts that a question can be made of: cells of tables, fields of records, definitions, figures, sections.

A fact is read from one masked passage and carries the words that prove it, character for character. What holds a placeholder of
masked personal data is no fact.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmflow.evaluation.question_generation_sentences import definition_of, field_of, figure_of
from llmflow.ingestion.sentences import split_sentences
from llmflow.ports import PreparedDocument
from llmflow.retrieval.entities import NAME_FIELD, NUMBERED, entity_key
from llmflow.retrieval.tokens import HANGUL
from llmflow.types import Chunk, Document, ElementKind

PLACEHOLDER = re.compile(r"\[[A-Z]{2,12}\]")
RULE = re.compile(r"^[\s|:\-]*-{3,}[\s|:\-]*$")
RECORD_LINE = re.compile(r"^(?P<key>[^:\n]{1,40}):[ \t]+(?P<value>\S[^\n]*)$", re.MULTILINE)
PROSE = (ElementKind.TEXT, ElementKind.LIST_ITEM, ElementKind.IMAGE)
MAX_VALUE = 80
MAX_QUOTE = 600
UNNAMED = re.compile(r"^(?:column|field|열|unnamed)[ _:]*\d*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fact:
    """`attribute` of `subject` is `value`, as `quote` says in one passage of a document."""

    template: str
    """`table`, `record`, `field`, `figure`, `definition` or `section`."""
    subject: str
    attribute: str
    """Empty for definitions; the question's stem for figures."""
    value: str
    quote: str
    language: str
    """Language to ask in: that of the passage, and Korean where there is Hangul in the names."""
    source: str
    title: str
    tenant: str
    groups: tuple[str, ...]
    document_id: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes two facts the same question: tenant, kind of question, subject, attribute."""
        kind = self.template if self.template in ("definition", "section", "figure") else "value"
        return self.tenant, kind, entity_key(self.subject), entity_key(self.attribute)


@dataclass(frozen=True, slots=True)
class _Raw:
    template: str
    subject: str
    attribute: str
    value: str
    quote: str


def facts_of(document: Document, prepared: PreparedDocument) -> list[Fact]:
    """Return the facts of a document in reading order, a question only once."""
    found: dict[tuple[str, str, str, str], Fact] = {}
    for item in prepared.chunks:
        for raw in _raw_facts(item.chunk, prepared.title):
            asked_of = raw.attribute if raw.template == "figure" else f"{raw.subject} {raw.attribute}"
            language = "ko" if HANGUL.search(asked_of) else item.chunk.language
            fits = len(raw.quote) <= MAX_QUOTE and not PLACEHOLDER.search(" ".join((raw.subject, raw.attribute, raw.quote)))
            if language in ("ko", "en") and fits and raw.quote in item.chunk.text:
                fact = Fact(
                    raw.template, raw.subject, raw.attribute, raw.value, raw.quote, language,
                    document.source, prepared.title, document.tenant, document.groups, document.id,
                )  # fmt: skip
                found.setdefault(fact.key, fact)
    return list(found.values())


def _raw_facts(chunk: Chunk, title: str) -> Iterator[_Raw]:
    if chunk.kind is ElementKind.TABLE:
        yield from table_facts(chunk.text)
    elif chunk.kind is ElementKind.RECORD:
        yield from record_facts(chunk.text)
    elif chunk.kind in PROSE:
        yield from _prose_facts(chunk, title)


def table_facts(text: str) -> Iterator[_Raw]:
    """Yield a look-up for each cell of a table with a header and a column that names its rows."""
    lines = text.splitlines()
    rule = next((number for number, line in enumerate(lines) if RULE.match(line) and number), None)
    if rule is None:
        return
    header = _cells(lines[rule - 1])
    rows = [(line, cells) for line in lines[rule + 1 :] if len(cells := _cells(line)) == len(header)]
    named = _naming_column([cells for _, cells in rows], len(header))
    if named is None:
        return
    for line, cells in rows:
        for column, (name, value) in enumerate(zip(header, cells, strict=True)):
            if column != named and _tells(name, value, cells[named]):
                yield _Raw("table", cells[named], name, value, line.strip())


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _naming_column(rows: Sequence[Sequence[str]], columns: int) -> int | None:
    """Return the first column whose cells are all there, all different, and no numbers."""
    for column in range(columns if len(rows) >= 2 else 0):
        cells = [row[column] for row in rows]
        named = all(re.search(r"[^\W\d_]{2}", cell) and len(cell) <= 40 for cell in cells)
        if named and len({entity_key(cell) for cell in cells}) == len(cells):
            return column
    return None


def _tells(name: str, value: str, subject: str) -> bool:
    return (
        bool(re.search(r"[^\W\d_]", name))
        and len(name) <= 30
        and not UNNAMED.match(name)
        and bool(re.search(r"\w", value))
        and len(value) <= MAX_VALUE
        and entity_key(value) not in ("", entity_key(subject), entity_key(name))
    )


def record_facts(text: str) -> Iterator[_Raw]:
    """Yield a look-up for each field of `key: value` records, named by their name field or their first one."""
    records = []
    for block in re.finditer(r"[^\n]+(?:\n[^\n]+)*", text):
        fields = list(RECORD_LINE.finditer(block.group()))
        if len(fields) >= 2:
            named = next((field for field in fields if NAME_FIELD.search(field["key"])), fields[0])
            records.append((block.group(), fields, named))
    names = [entity_key(named["value"]) for _, _, named in records]
    for (block, fields, named), name in zip(records, names, strict=True):
        if names.count(name) > 1 or len(named["value"]) > 60 or not re.search(r"[^\W\d_]{2}", named["value"]):
            continue
        for field in fields:
            if field is not named and _tells(field["key"], field["value"], named["value"]):
                start, end = min(named.start(), field.start()), max(named.end(), field.end())
                yield _Raw("record", named["value"].strip(), field["key"].strip(), field["value"].strip(), block[start:end])


def _prose_facts(chunk: Chunk, title: str) -> Iterator[_Raw]:
    heading = NUMBERED.sub("", chunk.heading_path[-1]).strip() if chunk.heading_path else ""
    above = {entity_key(part) for part in (title, *chunk.heading_path)}
    glossary = bool(re.search(r"용어|약어|정의|glossary|definition|abbreviation|acronym", f"{title} {heading}", re.IGNORECASE))
    first = True
    for start, end in split_sentences(chunk.text):
        sentence = chunk.text[start:end]
        line, _, below = sentence.partition("\n")
        if below.strip() and (entity_key(line) in above or entity_key(NUMBERED.sub("", line)) in above):
            sentence = below.strip()  # a heading without a full stop runs into the sentence under it
        if len(sentence) > 300 or entity_key(sentence) in above or re.search(r"[{}<>;=]|https?:", sentence):
            continue
        if first and _opens(sentence, heading, title):
            yield _Raw("section", title, heading, sentence, sentence)
        first = False
        if found := definition_of(sentence, above, glossary):
            yield _Raw("definition", found[0], "", found[1], sentence)
        elif heading and len(heading) <= 40 and not re.search(r"(?:다|요|\.|\?)$", heading) and (found := field_of(sentence)):
            yield _Raw("field", heading, found[0], found[1], sentence)
        if figure := figure_of(sentence):
            yield _Raw("figure", title, figure[0], figure[1], sentence)


def _opens(sentence: str, heading: str, title: str) -> bool:
    """Return whether a section's first sentence says something by itself under a heading that is not the title again."""
    name, whole = entity_key(heading), entity_key(title)
    distinct = bool(name and whole) and name not in whole and whole not in name
    return (
        distinct
        and len(sentence) >= 15
        and not re.search(r"(?::|다음과 같\S*|아래와 같\S*|(?:as follows|following)\.?)$", sentence)
    )
