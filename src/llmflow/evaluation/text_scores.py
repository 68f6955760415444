"""Generated text against what was expected: exact match, token F1, ROUGE-L, chrF, format. Pure, no model.

>>> exact_match("  15일입니다. ", "15일입니다")
1.0
>>> round(token_f1("연차는 15일", "연차 휴가는 15일입니다"), 2)
0.67
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"[가-힣]|[^\W_가-힣]+")
_TEMPLATE_MARKS = re.compile(r"<\|[a-z_]+\|>|</?s>|\[/?INST\]")
_LOOP = re.compile(r"(.{2,40}?)\1{4,}", re.DOTALL)


def answer_tokens(text: str) -> list[str]:
    """Return what is compared: each Hangul syllable (as KorQuAD 1.0 scores F1), each word of other scripts in lower case."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).lower())


def exact_match(prediction: str, reference: str) -> float:
    """Return 1.0 when both hold the same tokens in the same order, punctuation and spaces aside."""
    return float(answer_tokens(prediction) == answer_tokens(reference))


def token_f1(prediction: str, reference: str) -> float:
    """Return the harmonic mean of token precision and recall (Rajpurkar et al. 2016); two empty texts agree."""
    found, wanted = answer_tokens(prediction), answer_tokens(reference)
    if not found or not wanted:
        return float(found == wanted)
    common = sum((Counter(found) & Counter(wanted)).values())
    return 2 * common / (len(found) + len(wanted))


def rouge_l(prediction: str, reference: str) -> float:
    """Return the F-measure of ROUGE-L (Lin 2004): the longest common subsequence of `answer_tokens`.

    The usual packages drop every letter that is not ASCII, so Korean would score 0.
    """
    found, wanted = answer_tokens(prediction), answer_tokens(reference)
    if not found or not wanted:
        return float(found == wanted)
    lengths = [0] * (len(wanted) + 1)
    for token in found:
        corner = 0
        for position, other in enumerate(wanted, start=1):
            longest = corner + 1 if token == other else max(lengths[position], lengths[position - 1])
            corner, lengths[position] = lengths[position], longest
    return 2 * lengths[-1] / (len(found) + len(wanted))


def chrf(prediction: str, reference: str) -> float:
    """Return chrF2 (Popović 2015) of one sentence, 0 to 1: character n-grams suit Korean, whose words carry their endings."""
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(word_order=0).sentence_score(prediction, [reference]).score / 100


def format_valid(prediction: str, reference: str, ended: bool) -> float:
    """Return 1.0 when the text has the form that was asked for.

    It says something, ended by itself, leaks no mark of a chat template and does not go in circles. Where the reference is a JSON
    object or list, so must be the prediction, with the same keys.
    """
    if not prediction.strip() or not ended or _TEMPLATE_MARKS.search(prediction) or _LOOP.search(prediction):
        return 0.0
    wanted = _json_shape(reference)
    return float(wanted is None or _json_shape(prediction) == wanted)


@dataclass(frozen=True, slots=True)
class TaskScores:
    """One value an example, in the order of the examples."""

    exact_match: tuple[float, ...]
    token_f1: tuple[float, ...]
    rouge_l: tuple[float, ...]
    chrf: tuple[float, ...]
    format_valid: tuple[float, ...]

    def means(self) -> dict[str, float]:
        """Return the mean of each measure; empty without examples."""
        size = len(self.exact_match)
        return {name: sum(getattr(self, name)) / size for name in self.__slots__} if size else {}


def score_texts(predictions: Sequence[str], references: Sequence[str], ended: Sequence[bool]) -> TaskScores:
    """Return every score of every pair."""
    rows = list(zip(predictions, references, strict=True))
    return TaskScores(
        tuple(exact_match(*row) for row in rows),
        tuple(token_f1(*row) for row in rows),
        tuple(rouge_l(*row) for row in rows),
        tuple(chrf(*row) for row in rows),
        tuple(format_valid(*row, end) for row, end in zip(rows, ended, strict=True)),
    )


def _json_shape(text: str) -> object:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    if isinstance(value, dict):
        return ("object", tuple(sorted(value)))
    return "list" if isinstance(value, list) else None
