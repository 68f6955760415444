"""Conversations around the answerer over small stores: memory, rewriting, cache, and what each must never do."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import BoundedSemaphore
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmflow.adapters.sql_answer_cache import SqlAnswerCache
from llmflow.adapters.sql_memory import SqlChatMemory
from llmflow.answering.answerer import Answerer
from llmflow.answering.budget import MemorySettings
from llmflow.answering.cache import Asked, CacheSettings, SemanticCache, scope_of
from llmflow.answering.conversing import Converser
from llmflow.answering.memory import Memory
from llmflow.answering.question_forms import form_of, same_question
from llmflow.answering.settings import AnsweringSettings
from llmflow.answering.summaries import by_rule, summariser
from llmflow.errors import ModelInterrupted, StoreUnavailable
from llmflow.ports import ApplicationStores, ChatRequest
from llmflow.retrieval.retriever import Retrieval
from llmflow.retrieval.tokens import AnalyserSettings
from llmflow.types import Answer, ChatTurn, Chunk, Document, DocumentStatus, ElementKind, Hit, Principal

ANALYSER = AnalyserSettings()
ME = Principal("acme", frozenset({"hr", "user:me"}), "me")
COLLEAGUE = Principal("acme", frozenset({"hr", "user:colleague"}), "colleague")
QUESTION = "팀장 법인카드 한도는 얼마인가요?"
PARAPHRASE = "팀장 법인카드의 한도가 얼마예요?"


def hit(name: str, text: str, groups: tuple[str, ...] = ("hr",), version: str = "v1") -> Hit:
    document = Document(f"d-{name}", "acme", groups, f"{name}.md", name, "md", DocumentStatus.READY, version)
    return Hit(Chunk(f"c-{name}", document.id, 0, text, ElementKind.TEXT, "ko"), document, 1.0)


CARD = hit("card", "팀장의 법인카드 한도는 매월 300만 원이다. 본부장의 법인카드 한도는 700만 원이다.")
LEAVE = hit("leave", "휴가는 HR-ONE에서 신청한다.")


class Search:
    """A retriever that finds what it is told to."""

    analyser = ANALYSER
    settings_id = "s"

    def __init__(self, *hits: Hit):
        self.hits: tuple[Hit, ...] = hits
        self.asked: list[str] = []
        self.problems: tuple[str, ...] = ()

    def search_many(self, questions: Sequence[str], principal: Principal, limit: int, **more: object) -> list[Retrieval]:
        self.asked += questions
        return [Retrieval(tuple(self.hits), problems=tuple(self.problems)) for _ in questions]


class Model:
    name = "model"

    def __init__(self, *pieces: str, fails: bool = False):
        self.pieces, self.fails = pieces, fails
        self.requests: list[ChatRequest] = []

    def stream(self, request: ChatRequest) -> Iterator[str]:
        self.requests.append(request)
        yield from self.pieces
        if self.fails:
            raise ModelInterrupted("half")


class Away:
    """A store whose server does not answer."""

    def __getattr__(self, name: str):
        def fail(*_: object) -> None:
            raise StoreUnavailable("away")

        return fail


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state") / "state.db"


@pytest.fixture
def cache(database: Path) -> Iterator[SqlAnswerCache]:
    store = SqlAnswerCache(f"sqlite:///{database}")
    yield store
    for tenant in ("acme", "other"):
        store.forget_tenant(tenant)
    store.close()


@pytest.fixture
def memory(database: Path) -> Iterator[SqlChatMemory]:
    store = SqlChatMemory(f"sqlite:///{database}")
    store.forget("s")
    yield store
    store.close()


def converser(search: Search, cache: object = None, memory: object = None, model: Model | None = None, **options) -> Converser:
    mask = lambda text: text.replace("010-1234-5678", "[PHONE]")  # noqa: E731
    prompts = {"ko": "{evidence}", "en": "{evidence}"}
    answerer = Answerer(search, AnsweringSettings(**options), mask, prompts, model)  # type: ignore[arg-type]
    semantic = SemanticCache(cache, CacheSettings(), ANALYSER) if cache is not None else None  # type: ignore[arg-type]
    return Converser(answerer, Memory(MemorySettings(), memory), semantic)  # type: ignore[arg-type]


def ask(asked: Converser, question: str, principal: Principal = ME, session: str = "", history=None) -> Answer:
    *_, answer = asked.stream(question, principal, session, history)
    assert isinstance(answer, Answer)
    return answer


def test_a_paraphrase_is_given_the_answer_again(cache: SqlAnswerCache):
    served = converser(Search(CARD), cache)
    first, again = ask(served, QUESTION), ask(served, PARAPHRASE, COLLEAGUE)
    assert (first.cached, again.cached) == (False, True)
    assert replace(again, cached=False, trace_id=first.trace_id) == first and again.hits == (CARD,)
    assert again.trace_id != first.trace_id
    assert next(iter(served.stream(PARAPHRASE, ME))) == first.text


@pytest.mark.parametrize(
    "question",
    [
        "본부장 법인카드 한도는 얼마인가요?",
        "팀장 법인카드 한도는 누가 정하나요?",
        "팀장 법인카드 한도는 얼마가 아닌가요?",
        "2025년 팀장 법인카드 한도는 얼마인가요?",
        "팀장 법인카드 1회 한도는 얼마인가요?",
    ],
)
def test_another_question_is_not(cache: SqlAnswerCache, question: str):
    served = converser(Search(CARD), cache)
    ask(served, QUESTION)
    assert not ask(served, question).cached


@pytest.mark.parametrize(
    "principal",
    [
        Principal("other", frozenset({"hr"})),
        Principal("acme", frozenset({"it"})),
        Principal("acme", frozenset({"hr", "it"})),
        Principal("acme"),
    ],
)
def test_nobody_else_is_given_it(cache: SqlAnswerCache, principal: Principal):
    served = converser(Search(CARD), cache)
    ask(served, QUESTION)
    assert not ask(served, QUESTION, principal).cached


groups = st.frozensets(st.sampled_from(["hr", "it", "user:a", "user:b"]))
people = st.builds(Principal, st.sampled_from(["acme", "other"]), groups)


@given(one=people, other=people, owned=st.lists(st.sampled_from(["hr", "it", "*", "user:a", "user:b"]), max_size=3))
@settings(max_examples=300, deadline=None)
def test_a_scope_never_crosses_who_may_read(one: Principal, other: Principal, owned: list[str]):
    hits = tuple(hit(f"{place}", "x", (group,)) for place, group in enumerate(owned))
    scopes = [scope_of(Asked("q", principal, hits, "ko", "m"), CacheSettings()) for principal in (one, other)]
    if scopes[0] != scopes[1]:
        return
    assert one.tenant == other.tenant
    for found in hits:
        if one.may_read("acme", found.document.groups) or other.may_read("acme", found.document.groups):
            assert one.may_read(one.tenant, found.document.groups) == other.may_read(one.tenant, found.document.groups)


def test_what_rests_on_an_own_document_stays_with_its_owner(cache: SqlAnswerCache):
    own = replace(CARD, document=replace(CARD.document, groups=("user:me",)))
    served = converser(Search(own), cache)
    ask(served, QUESTION)
    assert ask(served, QUESTION).cached and not ask(served, QUESTION, COLLEAGUE).cached


def test_another_version_or_other_evidence_closes_the_gate(cache: SqlAnswerCache):
    search = Search(CARD)
    served = converser(search, cache)
    ask(served, QUESTION)
    search.hits = (replace(CARD, document=replace(CARD.document, version="v2")),)
    assert not ask(served, QUESTION).cached  # and its own answer takes the place of the one before
    assert ask(served, QUESTION).cached
    search.hits = (hit("news", "팀장의 법인카드 한도는 매월 500만 원이다."), *search.hits)
    assert not ask(served, QUESTION).cached


def test_what_another_model_prompt_or_setting_made_is_not_given(cache: SqlAnswerCache):
    served = converser(Search(CARD), cache)
    ask(served, QUESTION)
    assert not ask(converser(Search(CARD), cache, model=Model("300만 원 [1]")), QUESTION).cached
    assert not ask(converser(Search(CARD), cache, max_tokens=99), QUESTION).cached
    other = replace(served, answerer=replace(served.answerer, prompts={"ko": "x {evidence}", "en": "{evidence}"}))
    assert not ask(other, QUESTION).cached


def test_what_may_not_be_kept_is_not(cache: SqlAnswerCache):
    for name, asked, question in [
        ("personal data", converser(Search(CARD), cache), QUESTION + " 010-1234-5678"),
        ("not found", converser(Search(LEAVE), cache), "반려동물 보험 한도는 얼마인가요?"),
    ]:
        ask(asked, question)
        assert cache.size() == 0, name
    degraded = Search(CARD)
    degraded.problems = ("the embedder is away",)
    ask(converser(degraded, cache), QUESTION)
    assert cache.size() == 0
    half = converser(Search(CARD), cache, model=Model("300만", fails=True))
    with pytest.raises(ModelInterrupted):
        ask(half, QUESTION)
    stream = converser(Search(CARD), cache).stream(QUESTION, ME)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert cache.size() == 0
    kept = SemanticCache(cache, CacheSettings(), ANALYSER)
    answer = converser(Search(CARD)).answerer.answer(QUESTION, ME)
    for changes in ({"suspicious": ("c-card",)}, {"notice": "away"}, {"confidence": 0.1}, {"citations": ()}):
        kept.keep(Asked(QUESTION, ME, (CARD,), "ko", "m"), replace(answer, **changes))
        assert cache.size() == 0, changes


def test_a_follow_up_is_neither_kept_nor_given(cache: SqlAnswerCache):
    search = Search(CARD)
    served = converser(search, cache)
    history = [ChatTurn("user", QUESTION), ChatTurn("assistant", "300만 원 [1]")]
    answer = ask(served, "본부장은요?", history=history)
    assert answer.asked == "본부장 법인카드 한도는 얼마인가요?" == search.asked[-1] and cache.size() == 0
    ask(served, "본부장 법인카드 한도는 얼마인가요?")
    assert not ask(served, "본부장은요?", history=history).cached
    model = converser(Search(CARD), cache, model=Model("700만 원 [1]"))
    size = cache.size()
    ask(model, "회의실 예약과 법인카드 한도는 얼마인가요?", history=history)
    assert cache.size() == size  # a model reads the turns before


def test_deletion_reaches_just_the_answers_that_used_a_document(cache: SqlAnswerCache):
    search = Search(CARD)
    served = converser(search, cache)
    ask(served, QUESTION)
    search.hits = (LEAVE,)
    ask(served, "휴가는 어디에서 신청하나요?")
    nothing = SimpleNamespace(forget_document=lambda document_id: [])
    stores = ApplicationStores(*([nothing] * 7), answers=cache)  # type: ignore[arg-type]
    stores.forget_document("d-card")
    assert cache.size() == 1 and ask(served, "휴가는 어디에서 신청하나요?").cached
    stores.forget_chunks(["c-leave"])
    assert cache.size() == 0


def test_a_disliked_answer_is_not_given_again(cache: SqlAnswerCache):
    served = converser(Search(CARD), cache)
    answer = ask(served, QUESTION)
    served.disliked("other", answer.text)
    assert ask(served, QUESTION).cached
    served.disliked("acme", answer.text)
    assert not ask(served, QUESTION).cached


def test_stores_that_are_away_never_show(cache: SqlAnswerCache):
    served = converser(Search(CARD), Away(), Away())
    history = [ChatTurn("user", QUESTION), ChatTurn("assistant", "300만 원 [1]")]
    assert ask(served, "본부장은요?", session="s", history=history).asked
    assert ask(served, QUESTION, session="s", history=[]).found
    served.forget("s")
    served.disliked("acme", "x")


def test_the_history_is_the_truth_and_the_memory_follows_it(memory: SqlChatMemory):
    served = converser(Search(CARD), memory=memory)
    ask(served, QUESTION, session="s", history=[])
    turns = memory.turns("s")
    assert turns is not None and [turn.role for turn in turns] == ["user", "assistant"]
    assert ask(served, "본부장은요?", session="s").asked  # without a history the memory alone is asked
    ask(served, "휴가는?", session="s", history=[ChatTurn("user", "경조금은?"), ChatTurn("assistant", "90일")])
    remembered = memory.turns("s")
    assert remembered and remembered[0].content == "경조금은?"  # a question that was edited cut the memory too
    assert not ask(served, "본부장은요?", session="s", history=[]).asked  # and one that was reset left nothing


def test_personal_data_are_masked_before_they_are_remembered(memory: SqlChatMemory):
    ask(converser(Search(CARD), memory=memory), "010-1234-5678 팀장 법인카드 한도는 얼마인가요?", session="s")
    assert "010" not in str(memory.turns("s")) and "[PHONE]" in str(memory.turns("s"))


def test_older_turns_are_summarised_and_the_prompt_is_told(memory: SqlChatMemory):
    small = MemorySettings(turns_tokens=200, summary_tokens=300)
    served = replace(
        converser(Search(CARD), memory=memory), memory=Memory(small, memory, summariser(None, "", lambda text: text))
    )
    for _ in range(4):
        ask(served, QUESTION, session="s")
    text, covered = memory.summary("s")
    assert covered >= 2 and text.startswith("- " + QUESTION) and len(text.encode()) <= 300
    model = Model("300만 원 [1]")
    served = replace(served, answerer=replace(served.answerer, model=model))
    ask(served, "본부장 법인카드 한도와 팀장 한도는 얼마인가요?", session="s")
    request = model.requests[-1]
    assert text in request.system and len(request.turns) < 9 and next(iter(request.turns)).role == "user"


@given(said=st.lists(st.text(max_size=80), max_size=9), before=st.text(max_size=60), budget=st.integers(0, 300))
@settings(max_examples=150, deadline=None)
def test_a_summary_by_rule_keeps_its_budget(said: list[str], before: str, budget: int):
    turns = [ChatTurn("user" if place % 2 == 0 else "assistant", text) for place, text in enumerate(said)]
    assert len(by_rule(before, turns, budget).encode("utf-8", "surrogatepass")) <= budget


def test_a_model_that_says_too_much_is_cut_at_a_sentence():
    turns = [ChatTurn("user", "q"), ChatTurn("assistant", "a")]
    summarise = summariser(Model("First. ", "Second sentence. "), "{summary}{conversation}", lambda text: text)
    assert summarise("", turns, 10) == "First."
    assert summariser(Model(""), "{conversation}", lambda text: text)("", turns, 100) == "- q → a"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("인천에서 부산까지 단가는?", "부산에서 인천까지 단가는?", False),
        ("육아휴직 기간은 얼마나 되나요?", "육아 휴직 기간이 얼마예요?", True),
        ("반차는 몇 시간인가요?", "반반차는 몇 시간인가요?", False),
        ("한 건에 얼마까지 되나요?", "한 달에 얼마까지 되나요?", False),
        ("영수증을 챙긴 지출은 얼마까지 돼요?", "영수증을 못 챙긴 지출은 얼마까지 돼요?", False),
        ("누가 승인을 받나요?", "누가 승인해 주나요?", False),
        ("언제부터 신청하나요?", "언제까지 신청하나요?", False),
        ("조부모상에는 며칠 쉬나요?", "조부모상에는 며칠 안에 쉬나요?", False),
        ("카드 한도가 얼마인가요?", "카드 한도가 얼마로 줄었나요?", False),
        ("How long are logs kept?", "For how long are the logs retained?", True),
        ("How long are logs kept?", "How often are logs kept?", False),
        ("Who is told after an outage?", "Who is told before an outage?", False),
        ("Is a stick allowed?", "Is a stick not allowed?", False),
        ("What is the SEV1 response?", "What is the SEV2 response?", False),
        ("안녕하세요?", "안녕하세요?", False),
    ],
)
def test_two_wordings_are_one_question_and_two_questions_are_not(one: str, other: str, same: bool):
    first, second = form_of(one, ANALYSER), form_of(other, ANALYSER)
    assert same_question(first, second) is same and same_question(second, first) is same


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_the_form_of_any_text_survives_being_kept(text: str):
    form = form_of(text, ANALYSER)
    assert type(form).load(form.dump()) == form and same_question(form, form) == bool(form.words)


def test_a_question_waits_for_its_turn_to_be_searched_and_no_longer():
    turn = BoundedSemaphore(1)

    class Watched(Search):
        def search_many(self, questions: Sequence[str], principal: Principal, limit: int, **more: object) -> list[Retrieval]:
            assert not turn.acquire(blocking=False), "searched out of turn"
            return super().search_many(questions, principal, limit, **more)

    pieces = replace(converser(Watched(CARD), model=Model("한도는 ", "50만 원입니다. ", "[1]")), turn=turn).stream(QUESTION, ME)
    next(pieces)
    assert turn.acquire(blocking=False), "kept while the model writes"
    turn.release()
    assert isinstance(list(pieces)[-1], Answer)
