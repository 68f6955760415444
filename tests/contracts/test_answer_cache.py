"""What every AnswerCache promises."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from serving_process import wait_until

from llmflow.ports import AnswerCache, CachedAnswer, CachedSource
from llmflow.types import Answer, Citation

Make = Callable[..., AnswerCache]


def entry(name: str, scope: str = "scope", tenant: str = "acme", documents: tuple[str, ...] = ("d1",)) -> CachedAnswer:
    cited = Citation(1, f"{documents[0]}-c", documents[0], "카드", "card.md", 2, "한도", "월 300만 원")
    answer = Answer(f"답 {name} [1]", True, (cited,), (), "extractive", 0.8, "settings")
    sources = tuple(CachedSource(f"{document}-c", document, "v1", number == 0) for number, document in enumerate(documents))
    return CachedAnswer(f"id-{name}", scope, tenant, f"질문 {name}?", f'["{name}"]', answer, sources)


class AnswerCacheContract:
    def test_an_answer_comes_back_as_it_was_put(self, make: Make):
        cache = make()
        cache.put(entry("a", documents=("d1", "d2")))
        assert cache.forms("scope") == [("id-a", '["a"]', "질문 a?")]
        assert cache.get("id-a") == entry("a", documents=("d1", "d2"))
        assert cache.get("id-b") is None and cache.size() == 1

    def test_scopes_are_apart(self, make: Make):
        cache = make()
        cache.put(entry("a", "one"))
        cache.put(entry("b", "two"))
        assert [row[0] for row in cache.forms("one")] == ["id-a"] and cache.forms("three") == []

    def test_the_same_id_is_replaced_with_its_sources(self, make: Make):
        cache = make()
        cache.put(entry("a", documents=("old",)))
        cache.put(entry("a", documents=("new",)))
        assert cache.size() == 1
        assert cache.forget_documents(["old"]) == 0 and cache.forget_documents(["new"]) == 1

    def test_documents_and_chunks_take_just_their_answers(self, make: Make):
        cache = make()
        for name, documents in {"a": ("d1", "d2"), "b": ("d2",), "c": ("d3",)}.items():
            cache.put(entry(name, documents=documents))
        assert cache.forget_documents(["d2", "unknown"]) == 2
        assert [row[0] for row in cache.forms("scope")] == ["id-c"] and cache.get("id-a") is None
        assert cache.forget_chunks(["d1-c"]) == 0 and cache.forget_chunks(["d3-c"]) == 1
        assert cache.size() == 0 and cache.forget_documents([]) == cache.forget_chunks([]) == 0

    def test_a_disliked_answer_goes_in_its_tenant_only(self, make: Make):
        cache = make()
        cache.put(entry("a"))
        cache.put(replace(entry("a", "other", "other"), id="id-other"))
        assert cache.forget_answers("acme", "답 a [1]") == 1 and cache.get("id-a") is None
        assert cache.get("id-other") is not None
        assert cache.forget_tenant("other") == 1 and cache.size() == 0

    def test_the_ones_used_longest_ago_go_first(self, make: Make):
        cache = make(limit=2)
        for name in "ab":
            cache.put(entry(name))
            time.sleep(0.002)
        assert cache.get("id-a") is not None  # used now
        time.sleep(0.002)
        cache.put(entry("c"))
        assert [row[0] for row in cache.forms("scope")] == ["id-c", "id-a"] and cache.size() == 2

    def test_an_answer_expires(self, make: Make):
        cache = make(ttl_s=0.05)
        cache.put(entry("a"))
        wait_until(
            lambda: cache.forms("scope") == [] and cache.get("id-a") is None and cache.size() == 0, "the answer to expire", 60
        )

    def test_closing_twice_is_safe(self, make: Make):
        cache = make()
        cache.put(entry("a"))
        cache.close()
        cache.close()


class TestSqlite(AnswerCacheContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> Iterator[Make]:
        from llmflow.adapters.sql_answer_cache import SqlAnswerCache

        yield from _closing(lambda **options: SqlAnswerCache(f"sqlite:///{tmp_path / 'state.db'}", touch_s=0, **options))


@pytest.mark.services
class TestPostgres(AnswerCacheContract):
    @pytest.fixture
    def make(self, postgres_url: str) -> Iterator[Make]:
        from llmflow.adapters.sql_answer_cache import SqlAnswerCache

        yield from _closing(lambda **options: SqlAnswerCache(postgres_url, touch_s=0, **options))


@pytest.mark.services
class TestRedis(AnswerCacheContract):
    @pytest.fixture
    def make(self, redis_url: str) -> Iterator[Make]:
        from llmflow.adapters.redis_answer_cache import RedisAnswerCache
        from llmflow.adapters.redis_connection import RedisConnection

        yield from _closing(lambda **options: RedisAnswerCache(RedisConnection(redis_url), **options))


def _closing(make: Make) -> Iterator[Make]:
    made: list[AnswerCache] = []

    def opened(**options: float) -> AnswerCache:
        made.append(make(**options))
        return made[-1]

    yield opened
    for cache in made:
        cache.close()
