"""HTML of the panel that opens on a citation: the quoted passage in its place."""

from dataclasses import dataclass
from html import escape

from apps.chat.cells import table_html
from apps.chat.markup import lines, mark_quote, row_as_text
from apps.chat.texts import Texts
from llmflow.types import Citation, Hit

_NEAR = 600  # characters of neighbouring text that are shown


@dataclass(frozen=True, slots=True)
class Passage:
    """What the panel shows. `hit` None: the passage is gone, or this account may not read it."""

    citation: Citation
    hit: Hit | None
    before: str = ""
    """Text of the passage before it in the document."""
    after: str = ""
    picture: str = ""
    """Address of the page's picture; empty where there is none."""
    original: str = ""
    """Address of the original file; empty where it may not be had."""


def passage_html(passage: Passage, texts: Texts) -> str:
    """Return where the passage stands, its text with the quoted span in `<mark>`, its neighbours and its page.

    Nothing of the citation is shown of a passage that is gone or not readable.
    """
    hit, citation = passage.hit, passage.citation
    head = (
        f'<div class="passage-head"><h2>{texts.passage} <span class="cite-number">{citation.number}</span></h2>'
        f'<button type="button" class="icon-button" data-act="close-panel" aria-label="{texts.close}">'
        f'<span class="icon icon-close" aria-hidden="true"></span></button></div>'
    )
    if hit is None:
        return (
            f'<div class="passage" tabindex="-1" role="region" aria-label="{texts.passage}">{head}'
            f'<p class="notice">{texts.passage_gone}</p></div>'
        )
    facts = [(texts.source, hit.document.source)]
    if hit.chunk.page is not None:
        facts.append((texts.page, str(hit.chunk.page)))
    if hit.chunk.heading_path:
        facts.append((texts.heading, " › ".join(hit.chunk.heading_path)))
    rows = "".join(f"<dt>{label}</dt><dd>{escape(value)}</dd>" for label, value in facts)
    return (
        f'<div class="passage" tabindex="-1" role="region" aria-label="{texts.passage}">{head}'
        f'<h3>{escape(hit.document.title)}</h3><dl class="facts">{rows}</dl>{_picture(passage, texts)}'
        f"{_near(texts.before, passage.before, False)}{_body(hit, citation.quote, texts)}"
        f"{_near(texts.after, passage.after, True)}{_foot(passage, hit, texts)}</div>"
    )


def _picture(passage: Passage, texts: Texts) -> str:
    if not passage.picture or passage.hit is None:
        return ""
    title = texts.picture.format(title=escape(passage.hit.document.title), page=passage.hit.chunk.page)
    return f'<figure class="page-picture"><img src="{escape(passage.picture)}" alt="{title}" loading="lazy"></figure>'


def _foot(passage: Passage, hit: Hit, texts: Texts) -> str:
    document = hit.document
    ask = (
        f'<button type="button" class="plain ask-about" data-act="ask-document" data-document="{escape(document.id)}" '
        f'data-title="{escape(document.title)}">{texts.ask_document}</button>'
    )
    link = f'<a class="download" href="{escape(passage.original)}" download>{texts.download}</a>' if passage.original else ""
    return f'<div class="passage-foot">{ask}{link}<span>{texts.masked}</span></div>'


def _near(label: str, text: str, after: bool) -> str:
    """Return a neighbour folded away, cut on the side away from the passage."""
    if not text:
        return ""
    cut = (text[:_NEAR] + "…" if after else "…" + text[-_NEAR:]) if len(text) > _NEAR else text
    return f'<details class="near"><summary>{label}</summary><div class="passage-text">{escape(cut)}</div></details>'


def _body(hit: Hit, quote: str, texts: Texts) -> str:
    marked, there = mark_quote(hit.chunk.text, quote)
    moved = "" if there or not quote else f'<p class="notice">{texts.quote_moved}</p>'
    table, row_marked = table_html(hit.chunk.html, quote) if hit.chunk.html else ("", False)
    if not table:
        return f'{moved}<div class="passage-text quoted-text">{marked}</div>'
    if row_marked:
        return table
    line = f'<div class="quoted"><span>{texts.quoted}</span><mark>{lines(row_as_text(quote))}</mark></div>'
    return f"{line if there else moved}{table}"
