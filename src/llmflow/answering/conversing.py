"""A conversation around the answerer: remember, rewrite a follow-up to stand alone, look into the cache, answer, remember.

The answerer is the one that is evaluated. Everything here only decides what it is asked and whether it needs to be asked at all.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from llmflow.answering.answerer import Answerer
from llmflow.answering.cache import Asked, SemanticCache, making_of
from llmflow.answering.followups import StandAlone, stand_alone
from llmflow.answering.found import Found
from llmflow.answering.memory import Memory, Recalled
from llmflow.answering.summary_requests import summary_request
from llmflow.answering.tracing import TraceBuilder
from llmflow.config import fingerprint_of
from llmflow.ports import ChatModel, current_model
from llmflow.types import Answer, AskOptions, ChatTurn, Principal, Space


@dataclass(frozen=True, slots=True)
class Converser:
    """Answers in conversations. Ask for a new one for each question: it holds the answerer with the settings that serve now."""

    answerer: Answerer
    memory: Memory = field(default_factory=Memory)
    cache: SemanticCache | None = None
    rewrite_prompt: str = ""
    """What a chat model is asked to make a follow-up stand alone; empty: by rule."""
    turn: AbstractContextManager[object] = field(default_factory=nullcontext)
    """Held while a question is searched; one for all that a process answers (AnsweringSettings.searches_at_once)."""

    def stream(
        self,
        question: str,
        principal: Principal,
        session_id: str = "",
        history: Sequence[ChatTurn] | None = None,
        language: str | None = None,
        options: AskOptions | None = None,
    ) -> Iterator[str | Answer]:
        """Yield pieces of text; the last item is the complete Answer, whose text replaces the pieces.

        `history` is what the conversation store holds of the session before this question, oldest first: questions with
        complete answers, without the failed and stopped ones. It is the truth; what is remembered only adds a summary to it, and
        follows it when an answer was made again, a question was edited or the memory was reset. None: the memory alone is asked.
        `session_id` empty: nothing is remembered, as for stateless requests. `language` None follows the question. `options` are
        this question's own: its space and its documents narrow every query, and the next question has another.

        `Answer.asked` is the question as it was searched where a follow-up was rewritten, `Answer.cached` says that it was
        given before. Raises the errors of `Answerer.stream`; a memory or cache that is away never shows.
        """
        options = options or AskOptions()
        recalled = self.memory.recall(session_id, history)
        trace = TraceBuilder(self.answerer.tracer, principal, session_id)
        with trace.step("rewriting") as step:
            asked = self.stand_alone(question, recalled, bool(options.documents))
            step.note("way", asked.way)
        with self.turn:
            found = self.answerer.find(asked.text, principal, language, trace, options.space, options.documents)
        model = current_model(self.answerer.model)
        with trace.step("cache") as step:
            again = None if asked.changed else self._again(found, principal, model, recalled, options)
            given = self.cache.find(again) if self.cache is not None and again is not None else None
            step.note("decision", "given" if given is not None else "not asked" if again is None else "nothing")
        if given is not None:
            given = replace(given, trace_id=trace.id, space=found.space, documents=found.documents)
            trace.wished(found.space, options)
            trace.end("done", given)
        answered = self.answerer.respond
        pieces = (given.text, given) if given is not None else answered(found, recalled.turns, recalled.summary, options)
        for piece in pieces:
            if isinstance(piece, Answer):
                if self.cache is not None and again is not None and not piece.cached:
                    self.cache.keep(again, piece)
                piece = replace(piece, asked=found.question) if asked.changed else piece
                self.memory.keep(session_id, self.answerer.mask(question), piece)
            yield piece

    def _again(
        self, found: Found, principal: Principal, model: ChatModel | None, recalled: Recalled, options: AskOptions
    ) -> Asked | None:
        """Return the question as the cache looks at it; None where it has no say.

        A model reads the turns before, so only the first question of a conversation is asked of the cache; quotations know none.
        What shapes a model's answer is part of what makes it; where personal data stood in that, nothing is kept.
        """
        if (
            self.cache is None
            or not self.answerer.settings.cache.enabled
            or found.masked
            or found.problems
            or found.gone
            or found.summary
        ):
            return None
        if found.suspicious or found.instructs:  # what was left out of this answer may be in nobody's way tomorrow
            return None
        if model is not None and recalled:
            return None
        answerer = self.answerer
        settings = (answerer.settings.fingerprint(), answerer.retriever.settings_id)
        if options.space != Space.ALL:
            settings = (*settings, f"space {options.space}")
        if options.documents:
            settings = (*settings, "documents " + " ".join(sorted(set(options.documents))))
        if model is not None and options.shaped:
            wished = (options.instructions, *(text for pair in options.examples for text in pair))
            if any(answerer.mask(text) != text for text in wished):
                return None
            settings = (*settings, fingerprint_of([options.instructions, options.examples], 32))
        making = making_of(model.name if model else "extractive", answerer.prompts, *settings)
        return Asked(found.question, principal.narrowed(options.space), found.hits, found.spoken, making)

    def stand_alone(self, question: str, recalled: Recalled, chosen: bool = False) -> StandAlone:
        """Return the question as it is searched after what was said. "This document" is the one that was `chosen`, if any."""
        request = summary_request(question)
        if not recalled.turns or (request is not None and (chosen or request.points)):
            return StandAlone(question, "as asked")
        settings, analyser = self.answerer.settings.followups, self.answerer.retriever.analyser
        mask = self.answerer.mask
        turns = [ChatTurn(turn.role, mask(turn.content)) for turn in recalled.turns[-settings.turns :]]
        model = current_model(self.answerer.model)
        return stand_alone(mask(question), turns, settings, analyser, model, self.rewrite_prompt)

    def disliked(self, tenant: str, text: str) -> None:
        """Take an answer that a reader judged wrong out of the cache."""
        if self.cache is not None:
            self.cache.disliked(tenant, text)

    def forget(self, session_id: str) -> None:
        """Forget what was said in a session; the conversation store still shows it."""
        self.memory.forget(session_id)
