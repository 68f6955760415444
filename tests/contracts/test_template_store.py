"""The contract of `TemplateStore`: who sees which template, under which name, and what it was before."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from llmflow.adapters.sql_templates import SqlTemplateStore
from llmflow.errors import NameTaken, NotFound
from llmflow.ports import PromptTemplate, TemplateStore

Fresh = Callable[[], TemplateStore]


def template(key: str, name: str, maker: str = "kim", shared: bool = False, tenant: str = "acme", text: str = "요약: {{문서}}"):
    return PromptTemplate(key, tenant, maker, name, f"Title of {name}", text, ("문서",), (("q", "a"), ("질문", "답")), shared)


def names(store: TemplateStore, account: str, tenant: str = "acme") -> list[str]:
    return [found.name for found in store.templates(tenant, account)]


class TemplateStoreContract:
    """Subclasses give `fresh`: a function that opens the same store again. Every test has an empty one."""

    @pytest.fixture
    def store(self, fresh: Fresh) -> Iterator[TemplateStore]:
        store = fresh()
        yield store
        store.close()
        store.close()

    def test_it_comes_back_as_it_was(self, store: TemplateStore):
        assert store.templates("acme", "kim") == [] and store.template("t", "acme", "kim") is None
        assert store.versions("t", "acme", "kim") == [] and not store.delete("t", "acme")
        saved = store.save(template("t", "요약"))
        assert saved == replace(template("t", "요약"), version=1, updated_at=saved.updated_at) and saved.updated_at
        assert store.template("t", "acme", "kim") == saved == store.templates("acme", "kim")[0]

    def test_versions_are_kept_newest_first(self, store: TemplateStore):
        first = store.save(template("t", "sum"))
        second = store.save(replace(first, text="v2", name="summary", variables=()))
        assert second.version == 2
        assert store.versions("t", "acme", "kim") == [second, first]
        assert store.template("t", "acme", "kim", 1) == first and store.template("t", "acme", "kim", 3) is None
        assert names(store, "kim") == ["summary"]
        store.save(template("other", "sum"))  # the old name is free again

    def test_own_and_shared_ones_are_seen(self, store: TemplateStore):
        store.save(template("a", "own"))
        store.save(template("b", "all", shared=True))
        store.save(template("c", "rival", tenant="rival", maker="zoe", shared=True))
        assert (names(store, "kim"), names(store, "lee"), names(store, "zoe", "rival")) == (["all", "own"], ["all"], ["rival"])
        for key in ("a", "c"):
            assert store.template(key, "acme", "lee") is None and store.versions(key, "acme", "lee") == []
        assert store.template("a", "rival", "kim") is None

    def test_a_name_is_one_among_those_a_person_sees(self, store: TemplateStore):
        store.save(template("a", "own"))
        store.save(template("b", "all", maker="lee", shared=True))
        for taken in (template("x", "own"), template("x", "all"), template("x", "all", maker="park", shared=True)):
            with pytest.raises(NameTaken, match="/"):
                store.save(taken)
        assert store.template("x", "acme", "kim") is None
        store.save(template("x", "own", maker="park"))
        store.save(template("y", "own", maker="zoe", tenant="rival", shared=True))

    def test_an_own_template_hides_a_shared_one_of_its_name(self, store: TemplateStore):
        store.save(template("a", "sum", maker="kim"))
        store.save(template("b", "sum", maker="lee", shared=True))
        assert [found.id for found in store.templates("acme", "kim")] == ["a"]
        assert [found.id for found in store.templates("acme", "park")] == ["b"]

    def test_the_maker_stays_the_maker(self, store: TemplateStore):
        store.save(template("a", "sum", maker="kim", shared=True))
        changed = store.save(template("a", "sum", maker="lee", shared=True, text="v2"))
        assert (changed.account_id, changed.version, changed.text) == ("kim", 2, "v2")

    def test_what_may_not_be_seen_is_not_there_to_be_saved(self, store: TemplateStore):
        store.save(template("a", "sum", maker="kim"))
        for other in (template("a", "x", maker="lee"), template("a", "x", maker="kim", tenant="rival")):
            with pytest.raises(NotFound):
                store.save(other)
        assert store.template("a", "acme", "kim", 2) is None

    def test_deleting_takes_every_version_in_the_own_tenant_only(self, store: TemplateStore):
        store.save(store.save(template("a", "sum")))
        assert not store.delete("a", "rival")
        assert store.delete("a", "acme") and not store.delete("a", "acme")
        assert store.versions("a", "acme", "kim") == []
        assert store.save(template("a", "sum")).version == 1

    def test_of_many_that_take_a_name_at_once_one_gets_it(self, store: TemplateStore, fresh: Fresh):
        others = [fresh() for _ in range(4)]

        def save(place: int) -> bool:
            try:
                others[place].save(template(f"t{place}", "sum", maker=f"account{place}", shared=True))
            except NameTaken:
                return False
            return True

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(save, range(4))) == [False, False, False, True]
        for other in others:
            other.close()

    def test_versions_of_threads_at_once_are_all_kept(self, store: TemplateStore):
        store.save(template("a", "sum"))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda place: store.save(template("a", "sum", text=str(place))), range(8)))
        assert [found.version for found in store.versions("a", "acme", "kim")] == list(range(9, 0, -1))

    def test_an_account_that_goes_takes_its_own_ones_and_leaves_the_shared(self, store: TemplateStore):
        store.save(template("a", "own"))
        store.save(template("b", "all", shared=True))
        store.save(template("c", "own", maker="lee"))
        assert store.delete_account("kim") == 1
        assert (names(store, "kim"), names(store, "lee")) == (["all"], ["all", "own"])


class TestSqlite(TemplateStoreContract):
    @pytest.fixture
    def fresh(self, sqlite_state_url: str) -> Fresh:
        return lambda: SqlTemplateStore(sqlite_state_url)


@pytest.mark.services
class TestPostgresql(TemplateStoreContract):
    @pytest.fixture
    def fresh(self, postgres_state_url: str) -> Fresh:
        return lambda: SqlTemplateStore(postgres_state_url)
