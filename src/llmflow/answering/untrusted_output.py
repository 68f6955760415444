"""What a model says, made safe to show while it streams: personal data masked, nothing that loads or leads away, no prompt."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping

from llmflow.answering.streaming_mask import StreamingMask
from llmflow.answering.untrusted import neutral

LEAKED = {
    "ko": "답변에 시스템 지시문이 섞여 나와 표시하지 않습니다. 질문을 바꾸어 다시 물어보세요.",
    "en": "The answer repeated internal instructions, so it is not shown. Please ask in other words.",
}
REMOVED = "(link removed)"

_ADDRESS = re.compile(
    r"(?i)\b(?:https?|ftps?|file|data|javascript|vbscript|blob|wss?):(?://)?[^\s<>\"')\]]+|\bwww\.[^\s<>\"')\]]+"
)
_IMAGE = re.compile(r"!\[([^\]\n]*)\]\s?\(([^)\n]*)\)?")
_LINK = re.compile(r"\[([^\]\n]+)\]\(\s*<?([^)\s>]*)>?[^)\n]*\)")
_REFERENCE = re.compile(r"(?m)^[ \t]{0,3}\[[^\]\n]+\]:[ \t]*\S+.*$")
_LOADING_TAG = re.compile(
    r"(?i)<\s*/?\s*(?:img|iframe|script|object|embed|svg|link|meta|base|form|input|video|audio|source|style|a)\b[^<>]*>?"
)
_OPEN = re.compile(r"!?\[[^\[\]\n]*(?:\](?:\([^)\n]*)?)?$|<[^<>\n]*$")
_HELD_AT_MOST = 600
_SHINGLE = {"ko": 24, "en": 48}
_QUOTED = re.compile(r"\"[^\"\n]*\"|“[^”\n]*”|'[^'\n]{8,}'")


def addresses(text: str) -> frozenset[str]:
    """Return the addresses that stand in a text, without the stops behind them."""
    return frozenset(match.group().rstrip(".,;:!?") for match in _ADDRESS.finditer(text))


def plain_links(text: str, known: Collection[str] = ()) -> str:
    """Return an answer in which nothing loads and nothing leads to an address that its evidence does not name.

    Images become their description, links their words (and the address in brackets where it is `known`); an address that is not
    known is removed, for it is made up or carries what should stay here. Whoever renders answers calls this with what the cited
    passages name; answers of `Answerer` have gone through it.
    """
    text = _IMAGE.sub(r"\1", text)
    text = _LINK.sub(lambda m: f"{m[1]} ({m[2]})" if m[2] in known else m[1], text)
    text = _LOADING_TAG.sub("", _REFERENCE.sub("", text))

    def kept(match: re.Match[str]) -> str:
        address = match.group().rstrip(".,;:!?")
        return match.group() if address in known else REMOVED + match.group()[len(address) :]

    return _ADDRESS.sub(kept, text)


class PromptWatch:
    """Tells whether an answer repeats its prompt: the mark of its evidence, or a stretch of the rules in it."""

    def __init__(self, mark: str, prompt: str, spoken: str) -> None:
        """What the rules quote for the model to say (in quotation marks) may be said."""
        self._mark = mark
        self._length = _SHINGLE.get(spoken, 48)
        lines = (_QUOTED.sub("\n", line) for line in prompt.replace("{evidence}", "\n").splitlines())
        rules = [" ".join(part.split()) for line in lines for part in line.split("\n")]
        self._shingles = frozenset(
            rule[at : at + self._length] for rule in rules for at in range(max(0, len(rule) - self._length + 1))
        )

    def leaks(self, answer: str) -> bool:
        plain = " ".join(answer.split())
        if self._mark and self._mark in plain.replace(" ", "").lower():
            return True
        length = self._length
        return any(plain[at : at + length] in self._shingles for at in range(max(0, len(plain) - length + 1)))

    @property
    def tail(self) -> int:
        """Characters in front of a new piece that may begin a stretch which it completes."""
        return 2 * self._length


class AnswerStream:
    """A model's pieces to pieces that may be shown. Once `leaked` is True nothing more comes."""

    def __init__(self, mask: Callable[[str], str], known: Collection[str], watch: PromptWatch, opens_early: bool = False) -> None:
        """`opens_early` is `StreamingMask`'s."""
        self._masking = StreamingMask(mask, opens_early)
        self._known = known
        self._watch = watch
        self._waiting = ""
        self._shown = ""
        self.leaked = False

    def push(self, piece: str) -> str:
        """Return what may be shown now."""
        return self._release(self._masking.push(piece), last=False)

    def finish(self) -> str:
        """Return the rest."""
        return self._release(self._masking.finish(), last=True)

    def through(self, pieces: Iterator[str]) -> Iterator[str]:
        """Yield what may be shown of all pieces; stops asking for more once the prompt leaks."""
        for piece in pieces:
            if shown := self.push(piece):
                yield shown
            if self.leaked:
                return
        if shown := self.finish():
            yield shown

    @property
    def text(self) -> str:
        """Everything that was shown."""
        return self._shown

    def counts(self) -> Mapping[str, int]:
        """Return how many pieces of personal data were masked, by kind."""
        return self._masking.counts()

    def _release(self, masked: str, last: bool) -> str:
        if self.leaked or not (masked or last):
            return ""
        self._waiting += masked
        held = None if last else _OPEN.search(self._waiting, max(0, len(self._waiting) - _HELD_AT_MOST))
        cut = held.start() if held else len(self._waiting)
        new = plain_links(_without_tokens(self._waiting[:cut]), self._known)
        new = new if self._shown else new.lstrip()
        self._waiting = self._waiting[cut:]
        if self._watch.leaks(self._shown[-self._watch.tail :] + new):
            self.leaked = True
            return ""
        self._shown += new
        return new


def _without_tokens(text: str) -> str:
    return neutral(text) if "<|" in text or "|>" in text or "[INST" in text or "<start_of" in text or "<tool" in text else text
