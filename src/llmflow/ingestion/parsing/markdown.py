"""Markdown to elements: CommonMark with tables, rendered to HTML and walked."""

import re

from llmflow.ingestion.parsing.html import read_html
from llmflow.ingestion.parsing.outcome import Reading

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)?(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_TITLE = re.compile(r"^title:[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.M)
_JSX_COMMENT = re.compile(r"\{/\*.*?\*/\}", re.S)


def read_markdown(text: str) -> Reading:
    """Return the elements of a Markdown page; front matter gives the title, MDX comments are dropped."""
    from markdown_it import MarkdownIt

    front = _FRONT_MATTER.match(text)
    title = ""
    if front:
        text = text[front.end() :]
        found = _TITLE.search(front[1] or "")
        title = found[1] if found else ""
    renderer = MarkdownIt("commonmark", {"html": True, "maxNesting": 100}).enable(["table", "strikethrough"])
    reading = read_html(renderer.render(_JSX_COMMENT.sub("", text)))
    return Reading(reading.elements, title=title)
