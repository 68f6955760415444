"""The contract of `TextIndex`, inherited by every adapter."""

import math
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from narrowing import DOCUMENTS, SEEN

from llmflow.adapters.milvus import MilvusConnection
from llmflow.adapters.milvus_text import MilvusTextIndex
from llmflow.adapters.tantivy_text import TantivyTextIndex
from llmflow.errors import StoreUnavailable
from llmflow.ports import TextIndex, TextRow
from llmflow.types import EVERYONE, Principal

Fresh = Callable[[], TextIndex]

STAFF = Principal("acme")
SALES = Principal("acme", frozenset({"sales"}))
STRANGER = Principal("rival", frozenset({"sales"}))
WEIRD = (
    "it's", 'say "hi"', "100%", "a_b", "a%b", "back\\slash", "end\\", "인사팀", "😀", "e\u0301", "|", "*|*", "가" * 64, "x" * 64,
    '" or tenant != "', "] or id != [", " ", "a b", "{x}", "$meta", "NULL",
)  # fmt: skip


def row(chunk_id: str, tokens: str, *groups: str, tenant: str = "acme") -> TextRow:
    return TextRow(chunk_id, tenant, groups or (EVERYONE,), tokens)


def found(index: TextIndex, query: str, principal: Principal = STAFF, limit: int = 10) -> list[str]:
    return [hit.id for hit in index.search([query], principal, limit)[0]]


rows = st.tuples(st.sampled_from("abcd"), st.sampled_from(["one", "two", "one two"]), st.sampled_from([EVERYONE, "law"]))
operations = st.lists(st.tuples(st.sampled_from(["upsert", "delete"]), st.lists(rows, max_size=3)), max_size=4)


class TextIndexContract:
    """What every TextIndex must do. Subclasses give `fresh`: a function that makes an empty index."""

    @pytest.fixture
    def fresh(self) -> Fresh:
        raise NotImplementedError

    @pytest.fixture
    def index(self, fresh: Fresh) -> Iterator[TextIndex]:
        index = fresh()
        yield index
        index.close()
        index.close()

    def test_empty_index_answers(self, index: TextIndex):
        assert index.search(["연차", ""], STAFF, 5) == [[], []]
        assert index.chunk_ids() == set()
        index.upsert([])
        index.delete([])
        index.delete(["unknown"])
        index.optimise()
        assert index.search([], STAFF, 5) == []

    def test_best_match_first_with_positive_scores(self, index: TextIndex):
        index.upsert([row("a", "연차 휴가 신청 절차"), row("b", "연차 출장 여비 지급"), row("c", "보안 점검")])
        hits = index.search(["연차 휴가"], STAFF, 10)[0]
        assert [hit.id for hit in hits] == ["a", "b"]
        assert hits[0].score > hits[1].score > 0

    def test_one_list_a_query_in_order(self, index: TextIndex):
        index.upsert([row("a", "alpha"), row("b", "beta")])
        lists = index.search(["beta", "nothing", "", "  ", "alpha"], STAFF, 10)
        assert [[hit.id for hit in hits] for hits in lists] == [["b"], [], [], [], ["a"]]

    def test_many_queries_keep_their_places(self, index: TextIndex):
        index.upsert([row(f"c{n:03}", f"word{n}") for n in range(230)])
        lists = index.search([f"word{n}" for n in range(230)], STAFF, 3)
        assert [hits[0].id for hits in lists] == [f"c{n:03}" for n in range(230)]

    def test_equal_scores_are_ordered_by_id(self, index: TextIndex):
        index.upsert([row(name, "same words here") for name in ("d", "b", "a", "c")])
        assert found(index, "words") == ["a", "b", "c", "d"]
        assert found(index, "words", limit=2) == ["a", "b"]

    @pytest.mark.parametrize("limit", [0, -1])
    def test_no_room_finds_nothing(self, index: TextIndex, limit: int):
        index.upsert([row("a", "word")])
        assert index.search(["word", "word"], STAFF, limit) == [[], []]

    def test_limit_cuts_the_worst(self, index: TextIndex):
        index.upsert([row(f"c{n}", "word " * n + "filler " * (10 - n)) for n in range(1, 10)])
        assert found(index, "word", limit=3) == ["c9", "c8", "c7"]

    def test_upsert_replaces_and_the_last_of_equal_ids_wins(self, index: TextIndex):
        index.upsert([row("a", "old"), row("b", "first"), row("b", "second")])
        index.upsert([row("a", "new")])
        assert found(index, "old") == found(index, "first") == []
        assert found(index, "new") == ["a"]
        assert found(index, "second") == ["b"]
        assert index.chunk_ids() == {"a", "b"}

    def test_replacing_changes_who_may_read(self, index: TextIndex):
        index.upsert([row("a", "word")])
        index.upsert([row("a", "word", "sales")])
        assert found(index, "word", STAFF) == []
        assert found(index, "word", SALES) == ["a"]

    def test_deleted_chunks_are_gone(self, index: TextIndex):
        index.upsert([row("a", "word"), row("b", "word")])
        index.delete(["a", "unknown", "a"])
        assert found(index, "word") == ["b"]
        assert index.chunk_ids() == {"b"}
        index.upsert([row("a", "word")])
        assert found(index, "word") == ["a", "b"]

    def test_optimise_changes_no_result(self, index: TextIndex):
        index.upsert([row(f"c{n}", f"word number{n} " + "pad " * n) for n in range(20)])
        index.delete(["c3"])
        before = index.search(["word number7", "pad"], STAFF, 20)
        index.optimise()
        after = index.search(["word number7", "pad"], STAFF, 20)
        assert [[hit.id for hit in hits] for hits in after] == [[hit.id for hit in hits] for hits in before]
        assert [hit.score for hits in after for hit in hits] == pytest.approx([hit.score for hits in before for hit in hits])

    def test_principal_sees_own_tenant_and_groups_only(self, index: TextIndex):
        index.upsert(
            [
                row("all", "word"),
                row("sales", "word", "sales"),
                row("law", "word", "law"),
                row("both", "word", "law", "sales"),
                row("rival", "word", "sales", tenant="rival"),
            ]
        )
        assert set(found(index, "word", STAFF)) == {"all"}
        assert set(found(index, "word", SALES)) == {"all", "sales", "both"}
        assert set(found(index, "word", STRANGER)) == {"rival"}
        assert found(index, "word", Principal("nobody")) == []

    def test_a_narrowed_question_finds_its_part_and_nothing_else(self, index: TextIndex):
        index.upsert([row(name, "word", group, tenant=tenant) for name, tenant, group in DOCUMENTS])
        for principal, space, names in SEEN:
            assert sorted(found(index, "word", principal.narrowed(space))) == names, (principal, space)

    def test_chosen_chunks_are_looked_for_alone_and_permission_holds(self, index: TextIndex):
        index.upsert([row("a", "word"), row("b", "word word"), row("secret", "word", "law"), row("it's", "word other")])
        index.upsert([row("rival", "word", tenant="rival")])
        chosen = ["it's", "a", "secret", "rival", "unknown", "a", '"] or id != ["', ""]
        hits, nothing = index.search(["word", ""], STAFF, 10, chosen)
        assert [hit.id for hit in hits] == ["a", "it's"] and nothing == []
        assert hits[0].score > hits[1].score > 0
        assert [hit.id for hit in index.search(["word"], STAFF, 1, chosen)[0]] == ["a"]
        assert index.search(["word"], SALES, 10, ["secret"]) == index.search(["word"], STAFF, 10, []) == [[]]

    def test_thousands_may_be_chosen(self, index: TextIndex):
        index.upsert([row(f"c{n}", "word " * (1 + n // 100)) for n in range(0, 2400, 100)])
        chosen = [f"c{n}" for n in range(2400) if n not in (0, 700)]
        best = [name for name in found(index, "word", limit=30) if name not in ("c0", "c700")]
        assert [hit.id for hit in index.search(["word"], STAFF, 10, chosen)[0]] == best[:10]

    def test_unreadable_chunks_take_no_place_of_readable_ones(self, index: TextIndex):
        index.upsert([row(f"secret{n:02}", "word word word", "law") for n in range(60)] + [row("open", "word and much more")])
        assert found(index, "word", STAFF, limit=1) == ["open"]

    def test_chunk_without_groups_is_read_by_nobody(self, index: TextIndex):
        index.upsert([TextRow("a", "acme", (), "word")])
        assert found(index, "word", Principal("acme", frozenset({"sales", ""}))) == []

    def test_strange_names_separate_as_plain_ones_do(self, index: TextIndex):
        index.upsert([row(f"g{n}", "word", name) for n, name in enumerate(WEIRD)])
        index.upsert([row(f"t{n}", "word", tenant=name) for n, name in enumerate(WEIRD)])
        for n, name in enumerate(WEIRD):
            assert found(index, "word", Principal("acme", frozenset({name})), 50) == [f"g{n}"], name
            assert found(index, "word", Principal(name), 50) == [f"t{n}"], name

    def test_part_of_a_group_name_opens_nothing(self, index: TextIndex):
        index.upsert([row("a", "word", "sales-emea")])
        for part in ("sales", "emea", "sales%", "sales-eme_", "sales-emea ", "SALES-EMEA", "%", ""):
            assert found(index, "word", Principal("acme", frozenset({part}))) == [], part

    def test_many_groups(self, index: TextIndex):
        names = [f"{n:02}" + "가" * 62 for n in range(40)]
        index.upsert([row("a", "word", *names)])
        assert found(index, "word", Principal("acme", frozenset(names[-1:]))) == ["a"]
        assert found(index, "word", Principal("acme", frozenset({"x", *names}))) == ["a"]

    def test_survives_closing(self, fresh: Fresh, index: TextIndex):
        index.upsert([row("a", "word")])
        index.close()
        assert found(index, "word") == ["a"]

    def test_query_syntax_is_only_tokens(self, index: TextIndex):
        index.upsert([row("a", "word")])
        for query in ('"word', "tenant:rival", "word AND", "(", "word~", "*", "-word", "wor*"):
            assert set(found(index, query)) <= {"a"}, query
        assert found(index, "tokens:other") == []

    def test_agrees_with_a_dictionary(self, index: TextIndex):
        @settings(max_examples=15, deadline=None, database=None)
        @given(operations)
        def check(steps: list[tuple[str, list[tuple[str, str, str]]]]):
            index.delete(list("abcd"))
            model: dict[str, tuple[str, str]] = {}
            for operation, items in steps:
                if operation == "upsert":
                    index.upsert([row(name, tokens, group) for name, tokens, group in items])
                    model.update({name: (tokens, group) for name, tokens, group in items})
                else:
                    index.delete([name for name, _, _ in items])
                    for name, _, _ in items:
                        model.pop(name, None)
            assert index.chunk_ids() == set(model)
            for word in ("one", "two"):
                want = {name for name, (tokens, group) in model.items() if word in tokens.split() and group == EVERYONE}
                assert set(found(index, word)) == want

        check()


class TestTantivy(TextIndexContract):
    @pytest.fixture
    def fresh(self, tmp_path: Path) -> Fresh:
        return lambda: TantivyTextIndex(tmp_path / "text")

    def test_score_is_bm25_over_the_whole_index(self, index: TextIndex):
        """k1 1.2, b 0.75, idf ln(1 + (N - n + .5) / (n + .5)); rows of other tenants count too, as they share the index."""
        index.upsert([row("a", "x x y"), row("b", "y z z z"), row("c", "z")])
        idf = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))
        tf = 2 * 2.2 / (2 + 1.2 * (1 - 0.75 + 0.75 * 3 / (8 / 3)))
        assert index.search(["x"], STAFF, 1)[0][0].score == pytest.approx(idf * tf, rel=1e-4)

    def test_other_process_sees_what_was_written(self, index: TextIndex, tmp_path: Path):
        index.upsert([row("a", "word")])
        script = (
            "import sys\nfrom llmflow.adapters.tantivy_text import TantivyTextIndex as T\n"
            "from llmflow.ports import TextRow as R\n"
            "t = T(sys.argv[1]); print(sorted(t.chunk_ids())); t.upsert([R('b', 'acme', ('*',), 'word')])"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "text")], capture_output=True, text=True, check=True, timeout=60
        )
        assert done.stdout.strip() == "['a']"
        assert found(index, "word") == ["a", "b"]

    def test_failed_write_leaves_nothing(self, index: TextIndex):
        index.upsert([row("a", "word")])
        bad: Sequence[TextRow] = [row("b", "word"), TextRow("c", None, ("*",), "word")]  # type: ignore[arg-type]
        with pytest.raises((TypeError, ValueError)):
            index.upsert(bad)
        assert index.chunk_ids() == {"a"}
        index.upsert([row("d", "word")])
        assert index.chunk_ids() == {"a", "d"}

    def test_broken_folder_is_our_error(self, tmp_path: Path):
        folder = tmp_path / "text"
        folder.mkdir()
        (folder / "meta.json").write_text("{")
        with pytest.raises(StoreUnavailable, match="doctor --repair"):
            TantivyTextIndex(folder).search(["word"], STAFF, 1)


@pytest.mark.services
class TestMilvusLite(TextIndexContract):
    @pytest.fixture
    def fresh(self, milvus_lite: MilvusConnection, collection: str) -> Fresh:
        return lambda: MilvusTextIndex(MilvusConnection(milvus_lite.uri), collection)

    @pytest.fixture(autouse=True)
    def server(self, milvus_lite: MilvusConnection):
        """Keep the server between tests: the session's connection holds it."""
        milvus_lite.client()

    def test_overlong_tokens_are_cut_at_a_space(self, index: TextIndex):
        index.upsert([row("a", "가나다라 " * 10_000 + "끝")])
        assert found(index, "가나다라") == ["a"]
        assert found(index, "끝") == []
