"""HTML of a conversation: the finished exchanges, and the one that is being written.

Questions, documents and model output are untrusted: everything goes through markup.py or `escape`.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from apps.chat.exchanges import Exchange
from apps.chat.markup import answer_html, cite_data, lines, quotation_html
from apps.chat.texts import Texts
from llmflow.answering.chosen_documents import ALL_GONE, NOT_READ
from llmflow.answering.chosen_summary import CHOOSE_FIRST
from llmflow.ports.conversations import ChatSession, Message, MessageStatus
from llmflow.types import AskOptions, Citation, Space
from llmflow.wording import in_language, restored

EXTRACTIVE = "extractive"
TO_DO = frozenset(words for said in (ALL_GONE, NOT_READ, CHOOSE_FIRST) for words in said.values())
"""Answers that say what to do first: nothing was searched, so that nothing was found says too much."""


def log_html(
    session: ChatSession | None,
    exchanges: Sequence[Exchange],
    texts: Texts,
    low_confidence: float = 0.0,
    narrowed: AskOptions = AskOptions(),  # noqa: B008 - frozen
    wanted: str = "",
) -> str:
    """Return the finished exchanges of a session; `low_confidence` is the confidence below which an answer is warned of.

    The browser reads from the root which session it is looking at, which one it had asked for (`wanted`), and the space and the
    documents that its last question was narrowed to.
    """
    last = len(exchanges) - 1
    turns = "".join(exchange_html(one, texts, index == last, low_confidence) for index, one in enumerate(exchanges))
    title, key = (escape(session.title), escape(session.id)) if session else ("", "")
    chosen = f' data-documents="{escape(json.dumps(list(narrowed.documents)))}"' if narrowed.documents else ""
    chosen += f' data-space="{escape(str(narrowed.space))}"' if narrowed.space != Space.ALL else ""
    return f'<div class="log" data-session="{key}" data-for="{escape(wanted)}" data-title="{title}"{chosen}>{turns}</div>'


def live_html(exchange: Exchange, texts: Texts) -> str:
    """Return the exchange whose answer is being written."""
    return f'<div class="log">{exchange_html(exchange, texts, True)}</div>'


def welcome_html(texts: Texts, samples: Sequence[str], notice: str = "", wanted: str = "") -> str:
    """Return what stands where nothing was asked yet; `wanted` as in `log_html`."""
    buttons = "".join(
        f'<button type="button" class="sample" data-act="sample" data-question="{escape(one)}">{escape(one)}</button>'
        for one in samples
    )
    tries = f'<p class="samples-label">{texts.samples}</p><div class="samples">{buttons}</div>' if samples else ""
    return (
        f'<div class="welcome" data-session="" data-for="{escape(wanted)}" data-title="">{notice_html(notice)}'
        f"<h2>{texts.welcome}</h2><p>{texts.welcome_hint}</p>{tries}</div>"
    )


def notice_html(words: str, refused: bool = False) -> str:
    """Return a sentence that something could not be done, `refused` when it was the question; nothing without words."""
    mark = " data-refused" if refused else ""
    return f'<p class="notice" role="alert"{mark}>{escape(words)}</p>' if words else ""


def exchange_html(exchange: Exchange, texts: Texts, is_last: bool, low_confidence: float = 0.0) -> str:
    """Return one question and its answer; a question without an answer can be asked again."""
    question, answer = exchange.question, exchange.answer
    status = answer.status if answer else MessageStatus.INTERRUPTED
    edit = _action("edit", texts.edit) if question.id else ""
    wished = bool(question.details.get("examples"))
    body = _answer_body(answer, texts, low_confidence, wished) if answer else _aside(texts.cut_off)
    return (
        f'<article class="turn" data-status="{status}" data-question="{escape(question.id)}">'
        f'<div class="asked"><div class="question" data-raw="{escape(question.content)}">'
        f'<span class="sr-only">{texts.you}: </span>{lines(question.content)}</div>'
        f'<div class="actions">{_action("copy-question", texts.copy_question)}{edit}</div></div>'
        f'<div class="answer" data-message="{escape(answer.id) if answer else ""}">'
        f'<span class="sr-only">{texts.assistant}: </span>'
        f"{body}{_actions_html(exchange, texts, is_last)}</div></article>"
    )


def _answer_body(answer: Message, texts: Texts, low_confidence: float, wished: bool = False) -> str:
    match answer.status:
        case MessageStatus.FAILED:
            error = restored(_text(answer.details, "error"), answer.details.get("error_said"))
            reason = in_language(error, texts.language) or answer.content or texts.failed_next
            return f'<div class="failure" role="alert"><strong>{texts.failed}</strong><p>{escape(reason)}</p></div>'
        case MessageStatus.PENDING if not answer.content:
            return f'<p class="thinking">{texts.thinking}<span class="dots" aria-hidden="true"></span></p>'
        case MessageStatus.PENDING:
            return f'<div class="prose-text">{answer_html(answer.content, None, "", texts)}</div>'
        case MessageStatus.STOPPED:
            return _partial(answer, texts, texts.stopped)
        case MessageStatus.INTERRUPTED:
            return _partial(answer, texts, texts.cut_off)
    return _complete_html(answer, texts, low_confidence, wished)


def _partial(answer: Message, texts: Texts, words: str) -> str:
    text = answer_html(answer.content, answer.citations, answer.id, texts)
    return f'<div class="prose-text" data-copy>{text}</div>{_aside(words)}'


def _complete_html(answer: Message, texts: Texts, low_confidence: float, wished: bool = False) -> str:
    """Return a complete answer; `wished` says that its question came with examples of a form."""
    details = answer.details
    if details.get("withdrawn") is True:
        return _aside(texts.withdrawn)
    model = _text(details, "model") or EXTRACTIVE
    quoted = model == EXTRACTIVE
    body = (quotation_html if quoted else answer_html)(answer.content, answer.citations, answer.id, texts)
    asked = _text(details, "asked")
    searched = f'<p class="searched">{texts.searched_as.format(question=escape(asked))}</p>' if asked else ""
    if details.get("found") is False:
        heading = "" if answer.content in TO_DO else f"<strong>{texts.not_found}</strong>"
        nothing = f'<div class="nothing">{heading}<div class="prose-text" data-copy>{body}</div></div>'
        return f"{searched}{_warning(_text(details, 'notice'))}{nothing}{_origin(answer, [], texts)}"
    chips = "".join(_chip_html(cite, answer.id, texts) for cite in answer.citations)
    sources = f'<div class="sources"><span class="sources-label">{texts.sources}</span>{chips}</div>' if chips else ""
    origin = [texts.extractive if quoted else texts.answered_by.format(model=escape(model))]
    shown = details.get("examples")
    if isinstance(shown, int) and shown:
        origin.append(texts.examples.format(n=shown))
    elif wished and quoted:
        origin.append(texts.examples_unused)
    mark = " data-quoted" if quoted else ""
    return (
        f'{searched}{_warnings(details, texts, low_confidence)}<div class="prose-text" data-copy{mark}>{body}</div>{sources}'
        f"{_origin(answer, origin, texts)}"
    )


def _warnings(details: Mapping[str, Any], texts: Texts, low_confidence: float) -> str:
    confidence = details.get("confidence")
    suspicious = details.get("suspicious")
    count = len(suspicious) if isinstance(suspicious, list | tuple) else suspicious if isinstance(suspicious, int) else 0
    said = [_text(details, "notice")]
    if isinstance(confidence, int | float) and confidence < low_confidence:
        said.append(texts.low_confidence)
    if count:
        said.append(texts.suspicious.format(n=count))
    return "".join(map(_warning, said))


def _warning(words: str) -> str:
    return f'<p class="warning" role="note">{escape(words)}</p>' if words else ""


def _origin(answer: Message, origin: Sequence[str], texts: Texts) -> str:
    parts = [*origin]
    space = {"own": texts.space_own, "shared": texts.space_shared}.get(_text(answer.details, "space"))
    parts += [space] if space else []
    documents = answer.details.get("documents")
    parts += [texts.chosen.format(n=len(documents))] if isinstance(documents, list) and documents else []
    doubted = answer.details.get("doubted")
    parts += [texts.doubted.format(n=len(doubted))] if isinstance(doubted, list) and doubted else []
    if answer.details.get("cached") is True:
        parts.append(texts.cached)
    took = answer.details.get("total_ms")
    if isinstance(took, int | float) and took > 0:
        parts.append(texts.took.format(seconds=f"{took / 1000:.1f}"))
    when = _clock(answer.created_at)
    parts += [f'<time datetime="{escape(answer.created_at)}">{when}</time>'] if when else []
    return f'<p class="origin">{" · ".join(parts)}</p>' if parts else ""


def _clock(moment: str) -> str:
    """Return date and time in UTC, which the browser rewrites in its own zone; nothing for what is no time."""
    try:
        return datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return ""


def _chip_html(cite: Citation, message_id: str, texts: Texts) -> str:
    heading = cite.heading.rsplit(" > ", 1)[-1]
    where = [] if heading in ("", cite.title) else [escape(heading)]
    where += [texts.page_short.format(n=cite.page)] if cite.page is not None else []
    page = f'<span class="chip-page">{" · ".join(where)}</span>' if where else ""
    return (
        f'<button type="button" class="chip" {cite_data(cite.number, message_id)}><span class="cite-number">{cite.number}</span>'
        f'<span class="chip-title">{escape(cite.title)}</span>{page}</button>'
    )


def _actions_html(exchange: Exchange, texts: Texts, is_last: bool) -> str:
    answer, question = exchange.answer, exchange.question
    status = answer.status if answer else MessageStatus.INTERRUPTED
    if status == MessageStatus.PENDING:
        return ""
    done = status == MessageStatus.DONE
    buttons = [_action("copy", texts.copy)] if answer and answer.content and status != MessageStatus.FAILED else []
    if answer and answer.id and done and not answer.details.get("withdrawn"):
        buttons += [_thumb("up", texts.up, answer), _thumb("down", texts.down, answer)]
    if question.id and is_last:
        buttons.append(_action("again", texts.again if done else texts.retry, wordy=not done))
    return f'<div class="actions">{"".join(buttons)}</div>' if buttons else ""


def _action(act: str, label: str, wordy: bool = False) -> str:
    if wordy:
        return f'<button type="button" class="wordy" data-act="{act}">{_icon(act)}{label}</button>'
    return f'<button type="button" data-act="{act}" aria-label="{label}" title="{label}">{_icon(act)}</button>'


def _thumb(rating: str, label: str, answer: Message) -> str:
    pressed = str(answer.rating == rating).lower()
    return (
        f'<button type="button" data-act="rate" data-rating="{rating}" aria-pressed="{pressed}" aria-label="{label}" '
        f'title="{label}">{_icon(rating)}</button>'
    )


def _icon(name: str) -> str:
    return f'<span class="icon icon-{name}" aria-hidden="true"></span>'


def _aside(words: str) -> str:
    return f'<p class="aside">{words}</p>'


def _text(details: Mapping[str, Any], key: str) -> str:
    value = details.get(key)
    return value if isinstance(value, str) else ""
