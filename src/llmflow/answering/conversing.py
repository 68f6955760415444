"""A conversation around the answerer: remember, rewrite a follow-up to stand alone, look into the cache, answer, remember.

The answerer is the one that is evaluated. Everything here only decides what it is asked and whether it needs to be asked at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmflow.answering.answerer import Answerer
from llmflow.answering.memory import Memory
from llmflow.types import Answer, ChatTurn, Principal


@dataclass(frozen=True, slots=True)
class Converser:
    """Answers in conversations. Ask for a new one for each question: it holds the answerer with the settings that serve now."""

    answerer: Answerer
    memory: Memory

    def stream(
        self,
        question: str,
        principal: Principal,
        session_id: str = "",
        history: Sequence[ChatTurn] = (),
        language: str | None = None,
    ) -> Iterator[str | Answer]:
        """Yield pieces of text; the last item is the complete Answer, whose text replaces the pieces.

        `history` is what the conversation store holds of the session before this question, oldest first: questions with
        complete answers, without the failed and stopped ones. It is the truth; what is remembered only adds a summary to it, and
        follows it when an answer was made again or a question was edited. `session_id` empty: nothing is remembered, as for
        stateless requests, and `history` is the whole conversation. `language` None follows the language of the question.

        `Answer.asked` is the question as it was searched where a follow-up was rewritten, `Answer.cached` says that it was
        given before. Raises the errors of `Answerer.stream`; a memory or cache that is away never shows.
        """
        recalled = self.memory.recall(session_id, history)
        found = self.answerer.find(question, principal, language)
        for piece in self.answerer.respond(found, recalled.turns, recalled.summary):
            if isinstance(piece, Answer):
                self.memory.keep(session_id, self.answerer.mask(question), piece, recalled)
            yield piece

    def forget(self, session_id: str) -> None:
        """Forget what was said in a session; the conversation store still shows it."""
        self.memory.forget(session_id)
