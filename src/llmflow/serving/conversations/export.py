"""A conversation as a file to keep: JSON with everything, Markdown to read."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from llmflow.answering.citations import MARK
from llmflow.ports import ChatSession, Message, MessageStatus
from llmflow.types import Citation

_STATE = {
    MessageStatus.PENDING: "(this answer was still being written)",
    MessageStatus.STOPPED: "(stopped by the reader)",
    MessageStatus.INTERRUPTED: "(interrupted before it was complete)",
    MessageStatus.FAILED: "(failed)",
}


def as_json(session: ChatSession, messages: Sequence[Message]) -> str:
    """Return one JSON object: the session's fields and `items`, its messages in order. The tenant and the account stay inside."""
    plain = {key: value for key, value in asdict(session).items() if key not in ("tenant", "account_id")}
    return json.dumps({**plain, "items": [asdict(message) for message in messages]}, ensure_ascii=False, indent=1) + "\n"


def as_markdown(session: ChatSession, messages: Sequence[Message]) -> str:
    """Return the conversation to read: a heading a turn, and every citation a footnote with its document, page and quote.

    Footnotes are numbered through the whole file, since each answer counts from 1.
    """
    lines = [f"# {_line(session.title) or 'Conversation'}", "", f"{session.created_at}", ""]
    notes: list[str] = []
    for message in messages:
        lines += [f"## {'Question' if message.role == 'user' else 'Answer'} · {message.created_at}", ""]
        numbers = {citation.number: len(notes) + place for place, citation in enumerate(message.citations, 1)}
        notes += [_note(numbers[citation.number], citation) for citation in message.citations]
        if message.content:
            lines += [_marked(message.content, numbers), ""]
        lines += [part for state in (_STATE.get(message.status),) if state for part in (f"*{state}*", "")]
        if message.rating:
            remark = f": {_line(message.reason)}" if message.reason else ""
            lines += [f"*Rated {message.rating}{remark}*", ""]
    return "\n".join([*lines, *notes]).rstrip() + "\n"


def _marked(text: str, numbers: dict[int, int]) -> str:
    def footnote(match) -> str:
        number = numbers.get(int(match.group(1)))
        return f"[^{number}]" if number is not None else match.group()

    return MARK.sub(footnote, text)


def _note(number: int, citation: Citation) -> str:
    place = ", ".join(
        filter(None, (citation.title, f"p. {citation.page}" if citation.page is not None else "", citation.heading))
    )
    return f"[^{number}]: {_line(place)} ({_line(citation.source)}): “{_line(citation.quote)}”"


def _line(text: str) -> str:
    return " ".join(text.split())
