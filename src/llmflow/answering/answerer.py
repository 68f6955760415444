"""From a question to a cited answer: ONE path, evaluated and served.

Mask the question, retrieve, weigh the evidence; refuse below the threshold; otherwise quote (no model) or generate from the
numbered evidence (a model), mask again, and cite.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from llmflow.answering.budget import Fitted, estimate_tokens, fit_prompt, tokenizer_counter
from llmflow.answering.chosen_documents import NOT_READ, Shelf, gone_from, not_read_yet, nothing_said, told_of_gone
from llmflow.answering.chosen_summary import summarise_chosen, what_to_choose
from llmflow.answering.citations import citation, cited_by_model, drop_unknown_marks
from llmflow.answering.document_summary import as_line
from llmflow.answering.evidence import Evidence, weigh_evidence
from llmflow.answering.found import Found
from llmflow.answering.phrases import EARLIER, MODEL_AWAY, NOT_FOUND, SEARCH_AWAY
from llmflow.answering.quotations import choose_sentences
from llmflow.answering.settings import AnsweringSettings
from llmflow.answering.shaping import NO_ROOM, REFUSED_WISH, Wishes, cited_first, wishes_block, wishes_of
from llmflow.answering.spans import on_one_line
from llmflow.answering.streaming_mask import names_hangul_address
from llmflow.answering.summary_requests import summary_request
from llmflow.answering.tracing import TraceBuilder, hit_attributes
from llmflow.answering.untrusted import ASKED, LEFT_OUT, ONLY_QUOTED, fenced, neutral, new_mark, passage_block
from llmflow.answering.untrusted_output import LEAKED, AnswerStream, PromptWatch, addresses
from llmflow.answering.untrusted_search import attempts
from llmflow.clock import Seconds
from llmflow.errors import ModelInterrupted, ModelUnavailable, PromptTooLong, SettingsError
from llmflow.ingestion.language import detect_language
from llmflow.ports import ChatModel, ChatRequest, FollowingChatModel, current_model, token_counter
from llmflow.ports.models import TokenUsage
from llmflow.ports.tracing import NullTracer, Tracer
from llmflow.retrieval.retriever import Retriever
from llmflow.retrieval.tokens import composed
from llmflow.screening.patterns import inspect
from llmflow.types import Answer, AskOptions, ChatTurn, Citation, Hit, Principal, Space

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers for one workspace. `model` None quotes, and so does one that is away.

    `prompts` holds a template with {evidence} by language.
    """

    retriever: Retriever
    settings: AnsweringSettings
    mask: Callable[[str], str]
    prompts: Mapping[str, str]
    model: ChatModel | FollowingChatModel | None = None
    tracer: Tracer = field(default_factory=NullTracer)
    shelf: Shelf | None = None
    """Knows which of the chosen documents are gone; without it nothing is said of them."""

    def __post_init__(self) -> None:
        for language in NOT_FOUND:
            if "{evidence}" not in self.prompts.get(language, ""):
                raise SettingsError(f"The prompt for '{language}' needs the placeholder {{evidence}}. See conf/base/prompts/.")

    def answer(
        self,
        question: str,
        principal: Principal,
        history: Sequence[ChatTurn] = (),
        language: str | None = None,
        options: AskOptions | None = None,
    ) -> Answer:
        """Return the complete answer."""
        *_, last = self.stream(question, principal, history, language, options)
        assert isinstance(last, Answer)
        return last

    def stream(
        self,
        question: str,
        principal: Principal,
        history: Sequence[ChatTurn] = (),
        language: str | None = None,
        options: AskOptions | None = None,
    ) -> Iterator[str | Answer]:
        """Yield pieces of text; the last item is the complete Answer, whose text replaces the pieces.

        A chat model that does not begin to answer is replaced by quotations, with a notice; one that stops in the middle raises
        `ModelInterrupted`: half an answer must not look like a whole one. An embedder or reranker that is away is searched
        without, with a notice. `options` narrow where it is looked for and shape what a model writes; quotations have no shape.
        """
        options = options or AskOptions()
        found = self.find(question, principal, language, space=options.space, documents=options.documents)
        yield from self.respond(found, history, options=options)

    def find(
        self,
        question: str,
        principal: Principal,
        language: str | None = None,
        trace: TraceBuilder | None = None,
        space: Space = Space.ALL,
        documents: tuple[str, ...] = (),
    ) -> Found:
        """Return the masked question with its passages and what they say of it: the first half of `stream`.

        `space` narrows the principal in every query, `documents` what of theirs is looked through. `trace` is of an answer that
        has begun already, as where the question was rewritten before it came here.
        """
        trace = trace or TraceBuilder(self.tracer, principal)
        try:
            asked = question, principal.narrowed(space), language, trace, documents
            found = self._find_summary(*asked) or self._find(*asked)
            if self.shelf is not None and documents:
                gone = gone_from(self.shelf, documents, principal)
                unread = len(gone) == len(documents) and not_read_yet(self.shelf, gone, principal)
                found = replace(found, gone=gone, instead=NOT_READ[found.spoken] if unread else found.instead)
            return replace(found, space=space, documents=documents)
        except BaseException:
            trace.end("failed")
            raise

    def _find_summary(
        self, question: str, principal: Principal, language: str | None, trace: TraceBuilder, documents: tuple[str, ...]
    ) -> Found | None:
        """Return what stands for the chosen documents where a summary of them is asked for; None for every other question."""
        question = self.mask(composed(question))
        request = summary_request(question) if self.shelf is not None else None
        if self.shelf is None or request is None or not (documents or request.points):
            return None
        spoken = language or ("ko" if detect_language(question) == "ko" else "en")
        if not documents:
            trace.asked(question)
            return Found(question, False, spoken, (), Evidence((), 0.0), trace=trace, instead=what_to_choose(spoken))
        for_model = current_model(self.model) is not None
        screening, strict = self.settings.screening, self.settings.screening.strict_for(for_model)
        with trace.step("summary") as step:
            told = summarise_chosen(self.shelf, request, documents, principal, self.settings.summary, screening, strict, spoken)
            if told is None:
                return None
            step.attributes |= hit_attributes(told.hits) | {"passages": told.passages, "suspicious": told.suspicious}
        trace.asked(question)
        evidence = Evidence(told.sentences, 1.0 if told.sentences else 0.0, question)
        return Found(
            question, False, spoken, told.hits, evidence, (), told.hits, told.suspicious, told.doubted, trace=trace, summary=True,
            notice=told.notice, for_model=for_model, only_quoted=for_model and told.only_quoted,
        )  # fmt: skip

    def _find(
        self, question: str, principal: Principal, language: str | None, trace: TraceBuilder, documents: tuple[str, ...]
    ) -> Found:
        asked = composed(question)
        question = self.mask(asked)
        trace.asked(question)
        spoken = language or ("ko" if detect_language(question) == "ko" else "en")
        with trace.step("retrieval") as step:
            seconds = Seconds()
            search = partial(self.retriever.search_many, [question], principal, documents=documents)
            found = search(self.settings.retrieve, timings=seconds)[0]
            step.attributes |= hit_attributes(found.hits) | {f"ms.{stage}": round(1000 * s, 2) for stage, s in seconds.items()}
            step.note("problems", found.problems)
        with trace.step("screening") as step:
            for_model = current_model(self.model) is not None
            strict, screening = self.settings.screening.strict_for(for_model), self.settings.screening

            def again(limit: int, without: Collection[str]) -> Sequence[Hit]:
                return search(limit, without=without)[0].hits

            tries = attempts(found.hits, again, self.settings.retrieve, screening, strict)
            sifted = next(tries)
            instructs = inspect(asked).suspicious
            why = (*sifted.reasons.values(), *sifted.doubtful.values())
            step.note("suspicious", tuple(sifted.reasons))
            step.note("doubtful", tuple(sifted.doubtful))
            step.note("searched_without", len(sifted.without))
            step.note("reasons", tuple(dict.fromkeys(reason for reasons in why for reason in reasons)))
            step.note("question_instructs", instructs)
        with trace.step("evidence") as step:
            settings, analyser = self.settings.evidence, self.retriever.analyser
            evidence = weigh_evidence(question, sifted.hits, settings, analyser)
            while evidence.confidence < settings.min_confidence and (further := next(tries, None)):
                sifted, evidence = further, weigh_evidence(question, further.hits, settings, analyser)
                step.note("last_resort", "quoted" if sifted.only_quoted else "used")
            step.note("confidence", round(evidence.confidence, 3))
        near = sifted.found[: self.settings.prompt_passages] if strict and not sifted.only_quoted else ()
        doubted = tuple(hit.chunk.id for hit in near if hit.chunk.id in sifted.doubtful)
        return Found(
            question,
            question != asked,
            spoken,
            found.hits,
            evidence,
            found.problems,
            sifted.hits,
            tuple(sifted.reasons),
            doubted,
            instructs,
            trace,
            for_model=for_model,
            only_quoted=for_model and sifted.only_quoted and evidence.confidence >= settings.min_confidence,
        )

    def respond(
        self, found: Found, history: Sequence[ChatTurn] = (), summary: str = "", options: AskOptions | None = None
    ) -> Iterator[str | Answer]:
        """Yield the answer to what was found, as `stream` does: its second half. `summary` stands for turns before `history`."""
        options = options or AskOptions()
        notices = (
            (found.problems, SEARCH_AWAY),
            (found.suspicious, LEFT_OUT),
            (found.only_quoted, ONLY_QUOTED),
            (found.instructs, ASKED),
        )
        told = [text[found.spoken] for condition, text in notices if condition]
        told += [told_of_gone(found.gone, found.documents, found.spoken), found.notice]
        trace = found.trace or TraceBuilder(NullTracer(), Principal(""))
        trace.wished(found.space, options)
        try:
            for piece in self._answer(found, history, summary, options, trace):
                if isinstance(piece, Answer):
                    notice = " ".join(filter(None, (piece.notice, *told)))
                    piece = replace(piece, notice=notice, suspicious=found.suspicious, doubted=found.doubted, trace_id=trace.id)
                    piece = replace(piece, space=found.space, documents=found.documents)
                    trace.end("done", piece)
                yield piece
        except GeneratorExit:
            trace.end("stopped")
            raise
        except BaseException:
            trace.end("failed")
            raise

    def _answer(
        self, found: Found, history: Sequence[ChatTurn], summary: str, options: AskOptions, trace: TraceBuilder
    ) -> Iterator[str | Answer]:
        evidence, hits, spoken = found.evidence, found.hits, found.spoken
        # one may have come since: what it reads was not screened
        model = current_model(self.model) if found.for_model and not found.only_quoted else None
        name = model.name if model else "extractive"
        if evidence.confidence < self.settings.evidence.min_confidence:
            nothing = found.instead or nothing_said(spoken, found.space, found.documents, found.gone)
            yield nothing
            confidence, served = evidence.confidence, self.retriever.settings_id
            yield Answer(nothing, False, (), tuple(hits), name, confidence, served)
        elif model is None:
            yield from self._quote(found)
        else:
            wishes = wishes_of(options, self.mask, spoken) if options.shaped else Wishes()
            yield from self._generate(model, found, history, summary, wishes, trace)

    def _quote(self, found: Found, notice: str = "") -> Iterator[str | Answer]:
        """Say the best sentences, a number each passage; of a summary all of them, a number each sentence."""
        evidence = found.evidence
        numbers: dict[str, int] = {}
        lines: list[str] = []
        citations: list[Citation] = []
        chosen = choose_sentences(evidence, self.settings.evidence, self.retriever.analyser)
        for sentence in evidence.sentences if found.summary else chosen:
            key = f"{sentence.start} {sentence.hit.chunk.id}" if found.summary else sentence.hit.chunk.id
            if key not in numbers:
                numbers[key] = len(numbers) + 1
                citations.append(citation(numbers[key], sentence.hit, sentence.text))
            said = as_line(sentence) if found.summary else on_one_line(sentence.hit, sentence.text)
            line = f"{said} [{numbers[key]}]"
            yield f"\n{line}" if lines else line
            lines.append(line)
        confidence, served = evidence.confidence, self.retriever.settings_id
        yield Answer("\n".join(lines), True, tuple(citations), tuple(found.hits), "extractive", confidence, served, notice)

    def _generate(
        self,
        model: ChatModel,
        found: Found,
        history: Sequence[ChatTurn],
        summary: str,
        wishes: Wishes,
        trace: TraceBuilder,
    ) -> Iterator[str | Answer]:
        evidence, spoken, told = found.evidence, found.spoken, wishes
        best = {sentence.hit.chunk.id: sentence.text for sentence in reversed(evidence.sentences)}
        begun = False
        mark, usage = new_mark(), TokenUsage()
        passages = len(found.usable) if found.summary else min(self.settings.prompt_passages, len(found.usable))
        while True:
            try:
                request, shown, fitted = self._request(model, found, history, summary, told, passages, mark)
                passages = len(shown)
                known = addresses("\n".join(hit.chunk.text for hit in shown))
                told_addresses = any(map(names_hangul_address, (request.system, *(turn.content for turn in request.turns))))
                watch = PromptWatch(mark, self.prompts[spoken], spoken)
                said = AnswerStream(self.mask, known, watch, opens_early=not told_addresses)
                with trace.step("generation") as step:
                    step.attributes |= {"gen_ai.request.model": model.name, "prompt.characters": len(request.system)}
                    step.note("prompt.chunks", tuple(hit.chunk.id for hit in shown))
                    step.note("prompt.turns", len(request.turns))
                    step.note("prompt.instructions", len(fitted.instructions))
                    step.note("prompt.examples", fitted.examples)
                    pieces = said.through(usage.noting(model.stream(request)))
                    for piece in cited_first(pieces, len(shown)) if wishes else pieces:
                        if not begun:
                            step.note("ttft_ms", round((time.time_ns() - step.start_ns) / 1e6, 1))
                        begun = True
                        yield piece
                    step.note("gen_ai.usage.input_tokens", usage.prompt)
                    step.note("gen_ai.usage.output_tokens", usage.completion)
                    step.note("leaked", said.leaked)
                break
            except PromptTooLong as exc:
                if passages > 1:
                    passages //= 2
                    continue
                if history or summary:
                    history, summary = (), ""
                    continue
                if told:
                    told = Wishes()
                    continue
                log.warning("Quoting instead: %s", exc)
            except ModelInterrupted:
                raise
            except ModelUnavailable as exc:
                if begun:
                    raise
                log.warning("Quoting instead: %s", exc)
            yield from self._quote(found, MODEL_AWAY[spoken])
            return
        sources = [(hit, best.get(hit.chunk.id, hit.chunk.text)) for hit in shown]
        text = drop_unknown_marks(self.mask(said.text), len(sources)) if not said.leaked else LEAKED[spoken]
        if said.leaked:
            log.warning("%s repeated its prompt; the answer is not shown", model.name)
        citations = cited_by_model(text, sources)
        if not text.strip() or (wishes and not citations and not said.leaked):  # no wish buys an answer without a source
            text = nothing_said(spoken, found.space, found.documents, found.gone)
        whole = fitted.instructions == wishes.instructions and fitted.examples == len(wishes.examples)
        notice = " ".join(
            words[spoken] for condition, words in ((wishes.refused, REFUSED_WISH), (not whole, NO_ROOM)) if condition
        )
        served = self.retriever.settings_id
        answer = Answer(text, bool(citations), citations, found.hits, model.name, evidence.confidence, served, notice)
        counted = {"prompt_tokens": usage.prompt, "completion_tokens": usage.completion, "examples": fitted.examples}
        yield replace(answer, **counted)

    def _request(
        self,
        model: ChatModel,
        found: Found,
        history: Sequence[ChatTurn],
        summary: str,
        wishes: Wishes,
        passages: int,
        mark: str,
    ) -> tuple[ChatRequest, Sequence[Hit], Fitted]:
        """Return the request, which of the usable hits its context has room for, and what else has found room."""
        spoken, hits, question = found.spoken, found.usable[:passages], neutral(found.question)
        blocks = [passage_block(n, hit) for n, hit in enumerate(hits, 1)]
        turns = [ChatTurn(turn.role, neutral(self.mask(turn.content))) for turn in history]
        fitted = self._fitted(model, question, turns, summary, wishes, blocks, spoken)
        system = self.prompts[spoken].replace("{evidence}", fenced(blocks[: fitted.passages], mark, spoken))
        if fitted.summary:
            system = f"{system}\n\n{EARLIER[spoken]}\n{neutral(self.mask(fitted.summary))}"
        if told := wishes_block(fitted.instructions, wishes.examples[: fitted.examples], new_mark(), spoken):
            system = f"{system}\n\n{told}"
        request = ChatRequest(
            system=system,
            turns=(*fitted.turns, ChatTurn("user", question)),
            max_tokens=self.settings.max_tokens,
            temperature=self.settings.temperature,
        )
        return request, hits[: fitted.passages], fitted

    def _fitted(
        self,
        model: ChatModel,
        question: str,
        turns: Sequence[ChatTurn],
        summary: str,
        wishes: Wishes,
        blocks: Sequence[str],
        spoken: str,
    ) -> Fitted:
        """Return what fits by the bound on tokens where everything does, else by the model's own count."""
        memory, reply = self.settings.memory, self.settings.max_tokens
        system = f"{self.prompts[spoken]}\n{fenced((), new_mark(), spoken)}\n\n{EARLIER[spoken]}"
        system += "\n\n" + wishes_block("-", (), new_mark(), spoken) if wishes else ""
        parts = {"system": system, "question": question, "passages": blocks, "turns": turns, "summary": summary}
        parts |= {"instructions": wishes.instructions, "examples": wishes.examples}
        fitted: Fitted | None = None
        try:
            fitted = fit_prompt(memory, estimate_tokens, reply_tokens=reply, **parts)
            if fitted.whole:
                return fitted
        except PromptTooLong as exc:
            log.debug("By the bound on tokens: %s", exc)
        exact = tokenizer_counter(memory.tokenizer) if memory.tokenizer else token_counter(model)
        if exact is None and fitted is not None:
            return fitted
        return fit_prompt(memory, exact or estimate_tokens, reply_tokens=reply, **parts)
