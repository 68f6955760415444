"""A summary of the documents that a person has chosen: what of them may be read, without what speaks to a model."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmflow.answering.chosen_documents import Shelf
from llmflow.answering.document_summary import SummarySettings, summarise
from llmflow.answering.evidence import Sentence
from llmflow.answering.summary_requests import SummaryRequest
from llmflow.answering.untrusted import screen
from llmflow.screening.passages import ScreeningSettings
from llmflow.types import Hit, Principal

CHOOSE_FIRST = {
    "ko": "어떤 문서를 요약할지 먼저 골라 주세요. 문서 목록이나 인용한 구절 옆의 '이 문서에 묻기'를 누르거나, "
    "파일을 올린 뒤 다시 물어보세요.",
    "en": 'Choose first which document to summarise: press "Ask about this document" in the list of documents or beside a '
    "citation, or upload a file, then ask again.",
}
"""Said where "this document" is none."""
LONG = {
    "ko": "문서가 길어 구절 {count}개 가운데 고르게 뽑은 {read}개만 보고 요약했습니다.",
    "en": "The document is long: {read} of its {count} passages, taken evenly, were read for this summary.",
}


@dataclass(frozen=True, slots=True)
class Summarised:
    """What stands for the chosen documents. Ids are those of chunks."""

    sentences: tuple[Sentence, ...]
    """By document as chosen, then by place; none where nothing may be read or used."""
    hits: tuple[Hit, ...]
    """Their passages, each once, in this order."""
    suspicious: tuple[str, ...]
    """In which something speaks to a model; it is left out."""
    passages: int
    """How many were read."""
    doubted: tuple[str, ...] = ()
    """In which something may speak to a model; it is left out."""
    notice: str = ""
    only_quoted: bool = False
    """No language model may read them."""


def what_to_choose(spoken: str) -> str:
    """Return what is said where a summary of "this document" is asked for and none is chosen."""
    return CHOOSE_FIRST[spoken]


def summarise_chosen(
    shelf: Shelf,
    request: SummaryRequest,
    document_ids: Sequence[str],
    principal: Principal,
    settings: SummarySettings,
    screening: ScreeningSettings,
    strict: bool,
    spoken: str,
) -> Summarised | None:
    """Return the summary that is asked for of these documents; None where the request has a subject that none is called by.

    Permission is asked in every query. A passage that is only doubtful is used where nothing else is left; where screening is
    `strict`, what is doubted is left out, and where nothing else is left it is only quoted.
    """
    served = {one: shelf.chunk_ids_of([one], principal) for one in dict.fromkeys(document_ids)}
    count = sum(map(len, served.values()))
    wanted = [key for ids in served.values() for key in _evenly(ids, settings.passages, count)]
    resolved = shelf.resolve(wanted, principal)
    hits = [Hit(*resolved[key], score=1.0) for key in wanted if key in resolved]
    if not request.means([hit.document.title for hit in hits]):
        return None
    screened = screen(hits, screening, strict)
    sure = [hit for hit in screened.rest if strict or hit.chunk.id not in screened.doubtful]
    most = min(request.sentences or settings.sentences, settings.most_sentences)
    sentences = summarise(sure or screened.rest, most)
    doubted = tuple(screened.doubtful) if strict else ()
    only_quoted = bool(doubted) and not sentences
    if only_quoted:
        sentences, doubted = summarise(screen(hits, screening).rest, most), ()
    used = {one.hit.chunk.id: one.hit for one in sentences}
    notice = LONG[spoken].format(read=len(hits), count=count) if len(hits) < count else ""
    return Summarised(tuple(sentences), tuple(used.values()), screened.suspicious, len(hits), doubted, notice, only_quoted)


def _evenly(ids: Sequence[str], most: int, of: int) -> list[str]:
    """Return a document's share of at most about `most` passages among `of`, the first and the last with what lies between."""
    share = len(ids) if of <= most else max(1, most * len(ids) // of)
    if share >= len(ids):
        return list(ids)
    return [ids[number * (len(ids) - 1) // max(1, share - 1)] for number in range(share)]
