"""The contract of `ChatMemory`: what a model may remember of a session, and when it is gone."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving_process import wait_until

from llmflow.adapters.redis_connection import RedisConnection
from llmflow.adapters.redis_memory import RedisChatMemory
from llmflow.adapters.sql_memory import SqlChatMemory
from llmflow.adapters.sql_state_database import StateDatabase
from llmflow.ports import ChatMemory
from llmflow.types import ChatTurn

Make = Callable[[int, float], ChatMemory]
"""Opens the same memory with a limit of messages and a time to live in seconds."""
DAY = 86_400.0
STORABLE = st.characters(exclude_categories=("Cs",), exclude_characters="\x00")


def turns(*texts: str) -> list[ChatTurn]:
    return [ChatTurn("user" if place % 2 == 0 else "assistant", text) for place, text in enumerate(texts)]


def contents(memory: ChatMemory, session: str = "s") -> list[str] | None:
    found = memory.turns(session)
    return None if found is None else [turn.content for turn in found]


class ChatMemoryContract:
    """Subclasses give `make`. Every test has an empty memory."""

    @pytest.fixture
    def memory(self, make: Make) -> Iterator[ChatMemory]:
        memory = make(6, DAY)
        yield memory
        memory.close()
        memory.close()

    def test_what_was_never_said_is_not_remembered(self, memory: ChatMemory):
        assert memory.turns("s") is None
        assert memory.summary("s") == ("", 0)
        memory.forget("s")
        memory.set_summary("s", "of nothing", 2)
        assert (memory.turns("s"), memory.summary("s")) == (None, ("", 0))

    def test_turns_come_back_in_order_and_apart_by_session(self, memory: ChatMemory):
        memory.append("s", turns("안녕하세요", "Hello"))
        memory.append("other", turns("elsewhere"))
        memory.append("s", turns("다음", "next"))
        assert memory.turns("s") == turns("안녕하세요", "Hello", "다음", "next")
        assert contents(memory, "other") == ["elsewhere"]

    def test_the_oldest_beyond_the_limit_are_forgotten(self, memory: ChatMemory):
        for place in range(5):
            memory.append("s", turns(f"q{place}", f"a{place}"))
        assert contents(memory) == ["q2", "a2", "q3", "a3", "q4", "a4"]
        memory.replace("s", turns(*map(str, range(9))))
        assert contents(memory) == list("345678")

    def test_a_summary_stands_for_the_oldest_turns_that_are_left(self, memory: ChatMemory):
        memory.append("s", turns("q0", "a0", "q1", "a1"))
        memory.set_summary("s", "처음 이야기", 2)
        assert memory.summary("s") == ("처음 이야기", 2)
        memory.append("s", turns("q2", "a2"))
        assert memory.summary("s") == ("처음 이야기", 2)
        memory.append("s", turns("q3"))
        assert memory.summary("s")[1] == 1
        memory.append("s", turns("q4", "a4"))
        assert memory.summary("s")[1] == 0

    def test_replacing_forgets_the_summary(self, memory: ChatMemory):
        memory.append("s", turns("q0", "a0"))
        memory.set_summary("s", "summary", 2)
        memory.replace("s", turns("other"))
        assert (contents(memory), memory.summary("s")) == (["other"], ("", 0))

    def test_forgetting_leaves_nothing(self, memory: ChatMemory, make: Make):
        memory.append("s", turns("q0", "a0"))
        memory.append("other", turns("stays"))
        memory.set_summary("s", "summary", 2)
        memory.forget("s")
        again = make(6, DAY)
        assert (again.turns("s"), again.summary("s")) == (None, ("", 0))
        assert contents(again, "other") == ["stays"]
        again.close()

    def test_a_session_of_no_turns_is_not_remembered(self, memory: ChatMemory):
        memory.append("s", turns("q0"))
        memory.replace("s", [])
        assert memory.turns("s") is None

    def test_a_restart_forgets_nothing(self, memory: ChatMemory, make: Make):
        memory.append("s", turns("q0", "a0"))
        memory.set_summary("s", "summary", 1)
        memory.close()
        again = make(6, DAY)
        assert (contents(again), again.summary("s")) == (["q0", "a0"], ("summary", 1))
        again.close()

    def test_what_has_expired_is_gone(self, memory: ChatMemory, make: Make):
        brief = make(6, 0.2)
        memory.append("s", turns("stays"))
        brief.append("brief", turns("goes"))
        brief.set_summary("brief", "goes", 1)
        wait_until(lambda: brief.turns("brief") is None and brief.summary("brief") == ("", 0), "it to expire", 60)
        brief.append("brief", turns("new"))
        assert contents(brief, "brief") in (["new"], None)  # never what had expired
        assert contents(memory) == ["stays"]
        brief.close()

    def test_every_turn_lets_a_session_live_on(self, memory: ChatMemory, make: Make):
        brief = make(6, 0.2)
        brief.append("s", turns("first"))
        memory.append("s", turns("second"))  # with a day to live
        brief.append("marker", turns("goes"))
        wait_until(lambda: brief.turns("marker") is None, "it to expire", 60)
        assert contents(memory) == ["first", "second"]
        brief.close()

    def test_turns_of_threads_at_once_are_all_kept(self, make: Make):
        memory = make(100, DAY)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda place: memory.append("s", turns(f"q{place}", f"a{place}")), range(24)))
        found = contents(memory)
        assert found is not None and sorted(found) == sorted([f"{role}{place}" for place in range(24) for role in "qa"])
        assert all(found[place][1:] == found[place + 1][1:] for place in range(0, 48, 2))
        memory.close()

    def test_any_text_comes_back_as_it_was(self, memory: ChatMemory):
        @settings(max_examples=25, deadline=None, database=None)
        @given(said=st.lists(st.text(STORABLE, max_size=50), min_size=1, max_size=6))
        def check(said: list[str]):
            memory.replace("s", turns(*said))
            assert memory.turns("s") == turns(*said)

        check()


class TestSqlite(ChatMemoryContract):
    @pytest.fixture
    def make(self, sqlite_state_url: str) -> Make:
        return lambda limit, ttl_s: SqlChatMemory(sqlite_state_url, limit, ttl_s)

    def test_to_forget_what_is_not_remembered_waits_for_no_writer(self, make: Make, sqlite_state_url: str):
        memory, database = make(6, DAY), StateDatabase(sqlite_state_url)
        memory.append("other", turns("q", "a"))
        with ThreadPoolExecutor(1) as pool, database.writing():
            pool.submit(memory.forget, "new").result(5)
        memory.forget("other")
        assert memory.turns("other") is None
        database.close()
        memory.close()


@pytest.mark.services
class TestPostgresql(ChatMemoryContract):
    @pytest.fixture
    def make(self, postgres_state_url: str) -> Make:
        return lambda limit, ttl_s: SqlChatMemory(postgres_state_url, limit, ttl_s)


@pytest.mark.services
class TestRedis(ChatMemoryContract):
    @pytest.fixture
    def make(self, redis_url: str) -> Make:
        return lambda limit, ttl_s: RedisChatMemory(RedisConnection(redis_url), limit, ttl_s)
