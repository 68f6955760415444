"""What answered questions show: right refusals, wrong refusals, citations, expected answers, leaks; by kind and language."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from llmflow.errors import DatasetError
from llmflow.evaluation.faithfulness import faithful_share
from llmflow.evaluation.judged_questions import Evidence, JudgedQuestion
from llmflow.evaluation.metrics import normalise_quote
from llmflow.types import Answer, Citation


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge model said of one answer."""

    model: str
    faithful: bool
    """Everything that the answer says stands in the passages that it cites."""
    correct: bool | None
    """The answer gives what the question expects; None where no expected answer is known."""
    reason: str


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    question: JudgedQuestion
    answer: Answer
    judgement: Judgement | None = None
    """None where no judge model was asked or none could be understood."""


@dataclass(frozen=True, slots=True)
class AnswerScores:
    """Shares between 0 and 1; None where no question of the slice can tell."""

    questions: int
    refused_unanswerable: float | None
    """Share of the unanswerable questions that were said to have no answer; 1 is best."""
    wrongly_refused: float | None
    """Share of the answerable questions that were refused; 0 is best."""
    uncited: float | None
    """Share of the given answers without any citation; 0 is best."""
    citation_precision: float | None
    """Mean share of right citations, over cited answers to questions with evidence."""
    citation_recall: float | None
    """Mean share of the evidence that is cited, over questions with evidence; a refusal counts as 0."""
    contains_answer: float | None
    """Share of the questions with an expected answer whose answer holds it; a refusal does not."""
    answer_coverage: float | None
    """Mean share of the expected answer's words that the answer holds, over the same questions; kinder to other wordings."""
    leaks: int
    """Number of questions whose answer or hits show what the principal may not see; 0 or the run fails."""
    faithful: float | None = None
    """Mean share of supported sentences over given answers, by `faithfulness`; 1 is best, and quoting verbatim always is 1."""
    judged: int = 0
    """Given answers that a judge model was asked about and judged."""
    judged_faithful: float | None = None
    judged_correct: float | None = None


@dataclass(frozen=True, slots=True)
class AnswerSummary:
    overall: AnswerScores
    by_kind: Mapping[str, AnswerScores]
    """Names sorted."""
    by_language: Mapping[str, AnswerScores]
    leaked: tuple[tuple[str, str], ...]
    """(question id, source) of every leak, in the order of the questions."""
    judge: str = ""
    """Name of the model that judged; empty where none did."""


def summarise_answers(answered: Sequence[AnsweredQuestion]) -> AnswerSummary:
    """Return the scores of all answered questions and of each kind and language."""
    if not answered:
        raise DatasetError("No answered question to summarise. Answer the sample questions first.")
    faithful = {item.question.id: faithful_share(item.answer) for item in answered}
    return AnswerSummary(
        score_answers(answered, faithful),
        _slices(answered, lambda item: item.question.kind, faithful),
        _slices(answered, lambda item: item.question.language, faithful),
        tuple((item.question.id, source) for item in answered for source in leaks_of(item)),
        next((item.judgement.model for item in answered if item.judgement), ""),
    )


def score_answers(answered: Sequence[AnsweredQuestion], faithful: Mapping[str, float | None] | None = None) -> AnswerScores:
    """Return the scores of one slice; each field says which questions it is over.

    `faithful` holds `faithful_share` by question id where it is known already.
    """
    if faithful is None:
        faithful = {item.question.id: faithful_share(item.answer) for item in answered}
    supported = [share for item in answered if (share := faithful[item.question.id]) is not None]
    judgements = [item.judgement for item in answered if item.judgement]
    answerable = [item for item in answered if item.question.answerable]
    with_evidence = [item for item in answerable if item.question.evidence]
    expecting = [item for item in answerable if item.question.answer]
    cited = [item for item in with_evidence if item.answer.found and item.answer.citations]
    return AnswerScores(
        questions=len(answered),
        refused_unanswerable=_mean(not item.answer.found for item in answered if not item.question.answerable),
        wrongly_refused=_mean(not item.answer.found for item in answerable),
        uncited=_mean(not item.answer.citations for item in answered if item.answer.found),
        citation_precision=_mean(citation_precision(item) for item in cited),
        citation_recall=_mean(citation_recall(item) for item in with_evidence),
        contains_answer=_mean(contains_answer(item) for item in expecting),
        answer_coverage=_mean(answer_coverage(item) for item in expecting),
        faithful=_mean(supported),
        judged=len(judgements),
        judged_faithful=_mean(item.faithful for item in judgements),
        judged_correct=_mean(item.correct for item in judgements if item.correct is not None),
        leaks=sum(bool(leaks_of(item)) for item in answered),
    )


def citation_precision(item: AnsweredQuestion) -> float:
    """Return the share of citations that point to evidence; the answer must have one."""
    pairs = _cited_texts(item.answer)
    return sum(any(_supports(*pair, evidence) for evidence in item.question.evidence) for pair in pairs) / len(pairs)


def citation_recall(item: AnsweredQuestion) -> float:
    """Return the share of the question's evidence that a citation points to; 0 for a refusal."""
    pairs = _cited_texts(item.answer) if item.answer.found else []
    evidence = item.question.evidence
    return sum(any(_supports(*pair, wanted) for pair in pairs) for wanted in evidence) / len(evidence)


def contains_answer(item: AnsweredQuestion) -> bool:
    """Return whether the answer's text holds the expected answer or an alias.

    Case, punctuation, width and Korean spacing are ignored. Numbers and Latin words match whole, so 12 is not in 312;
    Korean may carry particles and endings.
    """
    said = _normalise_answer(item.answer.text)
    return item.answer.found and any(_holds(said, expected) for expected in _expected(item.question))


def answer_coverage(item: AnsweredQuestion) -> float:
    """Return the share of words of the expected answer, or of the alias that fits best, in the answer; 0 for a refusal."""
    if not item.answer.found:
        return 0.0
    said = _normalise_answer(item.answer.text)
    shares = [[_holds(said, word) for word in expected.split()] for expected in _expected(item.question)]
    return max((sum(found) / len(found) for found in shares), default=0.0)


def leaks_of(item: AnsweredQuestion) -> tuple[str, ...]:
    """Return the sources shown that the question forbids or its principal may not read, each once, in order."""
    principal, forbidden = item.question.principal, item.question.forbidden
    shown = [(hit.document.source, principal.may_read(hit.document.tenant, hit.document.groups)) for hit in item.answer.hits]
    shown += [(citation.source, True) for citation in item.answer.citations]
    return tuple(dict.fromkeys(source for source, readable in shown if not readable or source in forbidden))


def _cited_texts(answer: Answer) -> list[tuple[Citation, str]]:
    """Return each citation with the passage it points to, or its quote when the hit is not kept."""
    texts = {hit.chunk.id: hit.chunk.text for hit in answer.hits}
    return [(citation, texts.get(citation.chunk_id, citation.quote)) for citation in answer.citations]


def _supports(citation: Citation, passage: str, evidence: Evidence) -> bool:
    """Return whether a citation points to the passage that holds the evidence, or quotes a part of the evidence."""
    if citation.source != evidence.source:
        return False
    wanted, quoted = normalise_quote(evidence.quote), normalise_quote(citation.quote)
    return wanted in normalise_quote(passage) or bool(quoted and quoted in wanted)


def _expected(question: JudgedQuestion) -> list[str]:
    wordings = (_normalise_answer(text or "") for text in (question.answer, *question.aliases))
    return [wording for wording in wordings if wording]


def _normalise_answer(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold()
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"[^\w\s.]|_|(?<!\d)\.|\.(?!\d)", " ", text)
    return normalise_quote(text)


def _holds(said: str, expected: str) -> bool:
    before = "" if "가" <= expected[0] <= "힣" else r"(?<![^\W가-힣])(?<!\d\.)"
    after = "" if "가" <= expected[-1] <= "힣" else r"(?![^\W가-힣])(?!\.\d)"
    return re.search(before + re.escape(expected) + after, said) is not None


def _slices(
    answered: Sequence[AnsweredQuestion], key: Callable[[AnsweredQuestion], str], faithful: Mapping[str, float | None]
) -> dict[str, AnswerScores]:
    names = sorted({key(item) for item in answered})
    return {name: score_answers([item for item in answered if key(item) == name], faithful) for name in names}


def _mean(values: Iterable[float]) -> float | None:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else None
