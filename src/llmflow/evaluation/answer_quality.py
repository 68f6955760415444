"""The worth of answers in one value: are they cited, right to refuse, and faithful to what they cite."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmflow.evaluation.answers import AnsweredQuestion, AnswerScores, score_answers
from llmflow.evaluation.faithfulness import FaithfulnessSettings, sentence_support


@dataclass(frozen=True, slots=True)
class UnsupportedSentence:
    question_id: str
    sentence: str
    reason: str
    """`uncited`, `words`, `numbers` or `negation`; `judge: ...` where a judge model says so."""


@dataclass(frozen=True, slots=True)
class AnswerQuality:
    scores: AnswerScores
    sentences: int
    """Sentences of given answers that could be checked."""
    unchecked: int
    """Sentences in another language than the passage that they cite."""
    reasons: Mapping[str, int]
    """How many sentences are not supported, by reason; names sorted."""
    unsupported: tuple[UnsupportedSentence, ...]
    """Every one of them, in the order of the questions; then what a judge model objects to."""
    disagreements: tuple[str, ...]
    """Ids of the questions where the judge and the offline check differ: read these."""


def answer_quality(answered: Sequence[AnsweredQuestion], settings: FaithfulnessSettings | None = None) -> AnswerQuality:
    """Return the measures of `answered` with every sentence that its sources do not support. Pure; no model is asked."""
    support = {item.question.id: sentence_support(item.answer, settings) for item in answered}
    checked = {name: [s for s in found if s.supported is not None] for name, found in support.items()}
    shares = {name: sum(bool(s.supported) for s in found) / len(found) if found else None for name, found in checked.items()}
    unsupported = [
        UnsupportedSentence(name, s.text, s.reason) for name, found in checked.items() for s in found if not s.supported
    ]
    objections = [
        UnsupportedSentence(item.question.id, item.answer.text, f"judge: {item.judgement.reason}")
        for item in answered
        if item.judgement and not item.judgement.faithful
    ]
    return AnswerQuality(
        scores=score_answers(answered, shares),
        sentences=sum(map(len, checked.values())),
        unchecked=sum(map(len, support.values())) - sum(map(len, checked.values())),
        reasons=dict(sorted(Counter(item.reason for item in unsupported).items())),
        unsupported=(*unsupported, *objections),
        disagreements=tuple(
            item.question.id
            for item in answered
            if item.judgement and (share := shares[item.question.id]) is not None and item.judgement.faithful != (share == 1.0)
        ),
    )
