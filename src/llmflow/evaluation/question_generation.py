"""Judged questions from the corpus's own passages, without a language model.

Facts (tables, records, fields, figures, definitions, sections) become questions. Two facts of different documents that meet in a
name become a question for both. A fact that a colleague may not read, and one that no document holds, become questions without an
answer. Every question is checked against the whole corpus: what several documents may answer is dropped.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, permutations, zip_longest

from pydantic import Field

from llmflow.config import Settings, fingerprint_of
from llmflow.errors import DatasetError
from llmflow.evaluation.judged_questions import Evidence, JudgedQuestion, Origin
from llmflow.evaluation.question_generation_checks import check_questions, question_key
from llmflow.evaluation.question_generation_facts import Fact, facts_of
from llmflow.evaluation.question_generation_wording import ask_fact, ask_lookup_of_value, ask_missing, ask_section_about_value
from llmflow.ports import PreparedDocument
from llmflow.retrieval.entities import entity_key, title_names
from llmflow.retrieval.tokens import AnalyserSettings
from llmflow.types import EVERYONE, Document, Principal

VERSION = 1
"""Raised when the same passages and settings give other questions."""
KINDS = {"table": "table", "record": "table", "bridge": "multi", "look-alike": "unanswerable", "not permitted": "permission"}

UNANSWERABLE = ("look-alike", "not permitted")
ALIAS = re.compile(r"영문|영어|약칭|약어|별칭|명칭|english|abbreviation|alias|name$", re.IGNORECASE)
"""Attributes whose value is another name of the same thing: following it leads nowhere new."""

Served = Callable[[], Iterable[tuple[Document, PreparedDocument]]]
"""Yields the served documents with their masked passages, the same each time: `StateStore.served`."""


class GenerationSettings(Settings):
    limit: int = Field(default=100, ge=1, le=100_000)
    seed: int = 7
    """Another seed, another choice of the same possible questions."""
    unanswerable_share: float = Field(default=0.15, ge=0, le=0.5)
    """At most this share asks for what is not there or may not be read."""
    facts_per_document: int = Field(default=60, ge=1)
    oversampling: int = Field(default=4, ge=1)
    """Questions checked for each one wanted."""
    questions_per_passage: int = Field(default=2, ge=1, le=10)
    """Asked of a language model at once, where one is configured."""
    max_tokens: int = Field(default=700, ge=64)
    """Length of a language model's reply."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question that is not checked yet. `groups` are the groups of the one who asks."""

    template: str
    text: str
    language: str
    tenant: str
    groups: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    answer: str = ""
    forbidden: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    """Ids of the documents that it is about; the evidence stands in these."""
    names: tuple[str, ...] = ()
    """Of a question without an answer: spellings of its subject, one of which a document that answers after all must hold."""
    required: str = ""
    """Words that it must hold besides; the question's own where empty."""

    @property
    def answerable(self) -> bool:
        return bool(self.evidence)


@dataclass(frozen=True, slots=True)
class Generation:
    """Generated questions, spread over kinds, languages and documents, with what was left out and why."""

    questions: tuple[JudgedQuestion, ...]
    facts: Mapping[str, int]
    """Facts found, by template."""
    dropped: Mapping[str, int]
    """Questions dropped, by reason."""
    by_template: Mapping[str, int] = field(default_factory=dict)


def generate_questions(served: Served, settings: GenerationSettings, analyser: AnalyserSettings, date: str) -> Generation:
    """Return at most `limit` questions over the served passages; the same for the same passages and settings.

    Raises DatasetError when the passages hold nothing that a question can be made of.
    """
    facts: list[Fact] = []
    versions = []
    for document, prepared in served():
        facts += sorted(facts_of(document, prepared), key=lambda fact: rank(settings.seed, *fact.key))[
            : settings.facts_per_document
        ]
        versions.append((document.id, prepared.version))
    counts = Counter(fact.template for fact in facts)
    candidates = list(_candidates(facts, settings))
    if not candidates:
        raise DatasetError(
            "The corpus holds no table, record, definition, figure or section that a question could be made of. Ingest documents "
            "first, or configure a chat model and leave --offline away."
        )
    pool = list(islice(spread(candidates, settings), settings.limit * settings.oversampling))
    kept, dropped = check_questions(pool, served, analyser)
    chosen = list(islice(spread(kept, settings), settings.limit))
    origin = Origin("templates", "", "", date, fingerprint_of([VERSION, settings.model_dump(), sorted(versions)]))
    questions = tuple(judged_question(candidate, origin) for candidate in chosen)
    return Generation(
        questions, dict(sorted(counts.items())), dropped, dict(sorted(Counter(item.template for item in chosen).items()))
    )


def judged_question(candidate: Candidate, origin: Origin) -> JudgedQuestion:
    """Return a checked candidate as a judged question; its id follows from wording and asker, so that reviews carry over."""
    name = hashlib.sha256(f"{candidate.text}\0{candidate.tenant}\0{candidate.groups}".encode()).hexdigest()[:12]
    return JudgedQuestion(
        id=f"gen-{name}",
        text=candidate.text,
        language=candidate.language,
        kind=KINDS.get(candidate.template, "single"),
        principal=Principal(candidate.tenant, frozenset(candidate.groups)),
        evidence=candidate.evidence,
        forbidden=candidate.forbidden,
        answer=candidate.answer or None,
        answerable=candidate.answerable,
        origin=Origin(origin.generator, candidate.template, origin.model, origin.date, origin.fingerprint),
    )


def _candidates(facts: Sequence[Fact], settings: GenerationSettings) -> Iterator[Candidate]:
    """Yield every question that the facts allow, a wording only once a tenant; the ones that two documents share are left out."""
    homes: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for fact in facts:
        homes[fact.key].add(fact.document_id)
    single = [fact for fact in facts if len(homes[fact.key]) == 1]
    seen: set[tuple[str, tuple[str, ...], str]] = set()
    for candidate in (*_single(single), *_bridges(single), *_not_permitted(single), *_look_alikes(single, settings)):
        key = (candidate.tenant, candidate.groups, question_key(candidate.text))
        if key not in seen:
            seen.add(key)
            yield candidate


def _asker(*facts: Fact) -> tuple[str, ...]:
    """Return the groups of somebody who may read all of these documents."""
    return tuple(sorted({group for fact in facts for group in fact.groups} - {EVERYONE}))


def _single(facts: Iterable[Fact]) -> Iterator[Candidate]:
    for fact in facts:
        answer = "" if fact.template == "section" else fact.value
        yield Candidate(
            fact.template, ask_fact(fact), fact.language, fact.tenant, _asker(fact),
            (Evidence(fact.source, fact.quote),), answer, documents=(fact.document_id,),
        )  # fmt: skip


def _bridges(facts: Sequence[Fact]) -> Iterator[Candidate]:
    """Yield questions over two documents: the value of a fact in one names the subject of a fact or a section in another."""
    subjects: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        named = fact.attribute if fact.template == "section" else fact.subject
        if fact.template in ("table", "record", "field", "section"):
            for key in {entity_key(name) for name in title_names(named)}:
                subjects[fact.tenant, key].append(fact)
    for first in facts:
        if first.template not in ("table", "record", "field") or len(first.value) > 40 or ALIAS.search(first.attribute):
            continue
        for second in subjects.get((first.tenant, entity_key(first.value)), ()):
            section = second.template == "section"
            told = f"{second.subject} {second.attribute if section else ''} {second.value}"
            if second.document_id == first.document_id or entity_key(first.subject) in entity_key(told):
                continue
            text = ask_section_about_value(first, second) if section else ask_lookup_of_value(first, second)
            yield Candidate(
                "bridge", text, first.language, first.tenant, _asker(first, second),
                (Evidence(first.source, first.quote), Evidence(second.source, second.quote)),
                "" if section else second.value, documents=(first.document_id, second.document_id),
            )  # fmt: skip


def _not_permitted(facts: Iterable[Fact]) -> Iterator[Candidate]:
    """Yield questions of a colleague whose groups may not read the document that knows; checked later that no other one does."""
    facts = list(facts)
    groups: dict[str, set[str]] = defaultdict(set)
    for fact in facts:
        groups[fact.tenant] |= set(fact.groups) - {EVERYONE}
    for fact in facts:
        others = sorted(groups[fact.tenant] - set(fact.groups))
        figure = fact.template == "figure"
        if fact.template in ("table", "record", "figure", "field") and EVERYONE not in fact.groups and others:
            yield Candidate(
                "not permitted", ask_fact(fact), fact.language, fact.tenant, (others[len(fact.key[2]) % len(others)],),
                (), forbidden=(fact.source,), documents=(fact.document_id,),
                names=() if figure else tuple(title_names(fact.subject)), required="" if figure else fact.attribute,
            )  # fmt: skip


def _look_alikes(facts: Iterable[Fact], settings: GenerationSettings) -> Iterator[Candidate]:
    """Yield questions for an attribute of a subject that is only told of its like; checked later that no document holds both.

    Its like are the subjects of another document that shares a subject with its own, such as the systems of two lists.
    """
    documents: dict[tuple[str, str], dict[str, dict[str, Fact]]] = defaultdict(lambda: defaultdict(dict))
    for fact in facts:
        if fact.template in ("table", "record", "field"):
            documents[fact.tenant, fact.language][fact.document_id].setdefault(entity_key(fact.subject), fact)
    attributes: dict[str, dict[str, Fact]] = defaultdict(dict)
    for fact in facts:
        if fact.template in ("table", "record", "field"):
            attributes[fact.document_id].setdefault(entity_key(fact.attribute), fact)
    for homes in documents.values():
        shared: dict[str, list[str]] = defaultdict(list)
        for home, subjects in homes.items():
            for subject in subjects:
                shared[subject].append(home)
        like = {pair for places in shared.values() for pair in permutations(places, 2)}
        for home, other in sorted(like):
            for subject, fact in homes[home].items():
                names = sorted(attributes[other], key=lambda name: rank(settings.seed, subject, name))
                if subject not in homes[other] and names:
                    missing = attributes[other][names[0]]
                    yield Candidate(
                        "look-alike", ask_missing(fact, missing), fact.language, fact.tenant, _asker(fact, missing),
                        (), names=tuple(title_names(fact.subject)), required=missing.attribute,
                    )  # fmt: skip


def spread(candidates: Iterable[Candidate], settings: GenerationSettings) -> Iterator[Candidate]:
    """Yield candidates so that any beginning is spread over templates, languages and documents; order follows from the seed."""
    queues: dict[tuple[str, str], list[tuple[int, str, Candidate]]] = defaultdict(list)
    taken: Counter[tuple[str, str]] = Counter()
    for candidate in sorted(candidates, key=lambda c: rank(settings.seed, c.template, c.text, c.tenant, *c.groups)):
        home = candidate.documents[0] if candidate.documents else candidate.tenant
        queues[candidate.template, candidate.language].append((taken[home, candidate.template], home, candidate))
        taken[home, candidate.template] += 1
    ordered = {name: [item[2] for item in sorted(queue, key=lambda item: item[0])] for name, queue in sorted(queues.items())}
    answerable = _take_turns([line for name, line in ordered.items() if name[0] not in UNANSWERABLE])
    others = _take_turns([line for name, line in ordered.items() if name[0] in UNANSWERABLE])
    without = 0
    for given, candidate in enumerate(answerable, start=1):
        yield candidate
        if without + 1 <= settings.unanswerable_share * (given + without + 1) and (other := next(others, None)) is not None:
            without += 1
            yield other


def _take_turns(lines: Sequence[Sequence[Candidate]]) -> Iterator[Candidate]:
    """Yield the first of each line, then the second of each."""
    for row in zip_longest(*lines):
        yield from (item for item in row if item is not None)


def rank(seed: int, *parts: str) -> str:
    """Return a key whose order is as good as random and the same everywhere."""
    return hashlib.sha256("\0".join([str(seed), *parts]).encode()).hexdigest()
