"""Passages lose nothing, keep the order and the headings, and fit."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from llmflow.errors import SettingsError
from llmflow.ingestion.chunk_tables import split_table
from llmflow.ingestion.chunking import ChunkDraft, ChunkerSettings, chunk_document
from llmflow.ingestion.language import detect_language
from llmflow.ingestion.pieces import bounded_spans, count_tokens, sentence_pieces, weigh_tokens
from llmflow.ingestion.sentences import split_sentences
from llmflow.types import Box, Element, ElementKind, ParsedDocument

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "documents" / "react_ko"
SMALL = ChunkerSettings(target_tokens=60, overlap_tokens=15, min_tokens=8, table_max_tokens=60)
RELAXED = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def document(*elements: Element) -> ParsedDocument:
    return ParsedDocument("문서", "md", elements)


def title(text: str, level: int) -> Element:
    return Element(ElementKind.TITLE, text, level=level)


def prose(text: str, page: int | None = None, box: Box | None = None) -> Element:
    return Element(ElementKind.TEXT, text, page=page, box=box)


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


# Sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("배포를 했습니다. 다음은 검증입니다.", ["배포를 했습니다.", "다음은 검증입니다."]),
        ("값은 3.14입니다.그러나 v1.2는? 아니다!", ["값은 3.14입니다.", "그러나 v1.2는?", "아니다!"]),
        ("2024. 11. 21. 회의를 했습니다. 끝.", ["2024. 11. 21. 회의를 했습니다.", "끝."]),
        ("Dr. Kim and J. Smith agree. See No. 5.", ["Dr. Kim and J. Smith agree.", "See No. 5."]),
        ("It works in the U.S. Then we go. I said no. Yes.", ["It works in the U.S.", "Then we go.", "I said no.", "Yes."]),
        ("그는 “안녕.” 했다. 좋다。好的。", ["그는 “안녕.”", "했다.", "좋다。", "好的。"]),
        ("1. 첫째입니다.\n2. 둘째\n- 셋", ["1. 첫째입니다.", "2. 둘째", "- 셋"]),
        ("**굵은 문장입니다.** 다음.", ["**굵은 문장입니다.**", "다음."]),
        ("www.naver.com 입니다. a@b.co.kr 로", ["www.naver.com 입니다.", "a@b.co.kr 로"]),
        ("전화는 010-1234-\n5678 입니다.", ["전화는 010-1234-\n5678 입니다."]),
        ("짧은 제목\n본문이다.", ["짧은 제목", "본문이다."]),
        ("가" * 35 + "\n이어지는 줄이다.", ["가" * 35 + "\n이어지는 줄이다."]),
        ("첫 문단\n\nsecond paragraph", ["첫 문단", "second paragraph"]),
        (" \n ", []),
        ("", []),
    ],
)
def test_sentences_end_where_they_end(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


texts = st.text(st.sampled_from("가나다요습니. .?!\n\t,:()\"'”aAbZ.19-@。…|#·"), max_size=120)


@RELAXED
@given(st.one_of(texts, st.text(max_size=80)))
def test_sentence_spans_are_trimmed_ordered_and_complete(text: str) -> None:
    spans = split_sentences(text)
    position = 0
    for start, end in spans:
        assert position <= start < end
        assert not text[position:start].strip()
        assert text[start:end] == text[start:end].strip()
        position = end
    assert not text[position:].strip()


# Language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Kubernetes cluster 배포 절차 안내", "ko"),
        ("The quarterly report of 삼성 is due on Monday, see the attached file.", "en"),
        ("naïve café review of the menu", "en"),
        ("Der Bericht für das Quartal ist nicht fällig und die Zahlen sind für den März", "other"),
        ("四半期報告書を提出してください", "other"),
        ("12.5 % (3)", "other"),
        ("", "other"),
    ],
)
def test_language_follows_the_script(text: str, language: str) -> None:
    assert detect_language(text) == language


# Pieces


@RELAXED
@given(st.text(max_size=60), st.text(max_size=60))
def test_token_weights_add_up(left: str, right: str) -> None:
    assert weigh_tokens(left + right) == weigh_tokens(left) + weigh_tokens(right)


@RELAXED
@given(st.one_of(texts, st.text(max_size=300), st.text("가나 abc", max_size=400)), st.integers(8, 40))
def test_pieces_fit_and_lose_nothing(text: str, limit: int) -> None:
    for spans in (sentence_pieces(text, limit), bounded_spans(text, 0, len(text), limit)):
        assert all(count_tokens(text[start:end]) <= limit for start, end in spans)
        assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())
        assert spans == sorted(spans)


secret = st.sampled_from(["010-1234-5678", "010 1234 5678", "hong.gildong@corp.co.kr", "성명: 홍길동", "계좌: 110-123-456789"])


@RELAXED
@given(st.lists(st.one_of(st.sampled_from(["그리고", "배포", "the", "절차를", "확인하고"]), secret), min_size=30, max_size=80))
def test_a_long_sentence_is_never_cut_inside_a_number_or_an_address(words: list[str]) -> None:
    # Every third word at least is ordinary, so that there is always somewhere to cut.
    text = " ".join(f"{word} 그리고 또한" for word in words)
    whole = [text[start:end] for start, end in bounded_spans(text, 0, len(text), 40)]
    assert len(whole) > 1
    for value in ("010-1234-5678", "010 1234 5678", "hong.gildong@corp.co.kr", "성명: 홍길동", "계좌: 110-123-456789"):
        assert sum(piece.count(value) for piece in whole) == text.count(value)


# Chunks


def test_a_heading_joins_the_text_below_and_the_path_names_those_above() -> None:
    drafts = chunk_document(
        document(title("안내", 1), title("설치", 2), prose("먼저 내려받습니다."), title("운영", 2), prose("매일 봅니다. " * 20)),
        SMALL,
    )
    assert drafts[0].text == "안내\n설치\n먼저 내려받습니다."
    assert drafts[0].heading_path == ("안내", "설치")
    assert drafts[1].text.startswith("운영\n매일 봅니다.")
    assert {draft.heading_path for draft in drafts[1:]} == {("안내", "운영")}
    assert [draft.ordinal for draft in drafts] == list(range(len(drafts)))


def test_headings_divide_and_only_a_tiny_minor_section_joins_its_neighbour() -> None:
    body, tiny = "이 절은 충분히 긴 문장을 담고 있습니다.", "짧다."
    for level in (2, 3):
        parted = chunk_document(document(title("가", 2), prose(body), title("나", level), prose(body)), SMALL)
        assert [draft.text for draft in parted] == [f"가\n{body}", f"나\n{body}"]
        assert parted[1].heading_path == (("나",) if level == 2 else ("가", "나"))
    assert len(chunk_document(document(title("가", 2), prose(body), title("나", 2), prose(tiny)), SMALL)) == 2
    joined = chunk_document(document(title("가", 2), prose(body), title("나", 3), prose(tiny)), SMALL)
    assert [(draft.heading_path, draft.kind) for draft in joined] == [(("가",), ElementKind.TEXT)]


def test_tiny_sections_of_one_parent_share_a_chunk() -> None:
    tiny = [title("장", 1), title("가", 2), prose("짧다."), title("나", 2), prose("짧다.")]
    assert [(d.text, d.heading_path) for d in chunk_document(document(*tiny), SMALL)] == [("장\n가\n짧다.\n나\n짧다.", ("장",))]
    apart = [title("장", 1), title("가", 2), prose("짧다."), title("절", 1), title("나", 2), prose("짧다.")]
    assert [d.heading_path for d in chunk_document(document(*apart), SMALL)] == [("장", "가"), ("절", "나")]
    assert len(chunk_document(document(*tiny), SMALL.model_copy(update={"min_tokens": 0}))) == 2


def test_neighbours_overlap_by_whole_sentences_inside_a_section_only() -> None:
    numbered = " ".join(f"문장 {chr(0xAC00 + 28 * n)}입니다." for n in range(40))
    drafts = chunk_document(document(title("가", 1), prose(numbered), title("나", 1), prose(numbered)), SMALL)
    by_path: dict[tuple[str, ...], list[ChunkDraft]] = {}
    for draft in drafts:
        assert count_tokens(draft.text) <= SMALL.target_tokens
        assert draft.text.endswith("입니다.")
        by_path.setdefault(draft.heading_path, []).append(draft)
    for group in by_path.values():
        assert len(group) > 1
        for before, after in pairwise(group):
            first = sentences(after.text)[0]
            assert first in before.text
            shared = before.text[before.text.index(first) :]
            assert 0 < count_tokens(shared) <= SMALL.overlap_tokens
    assert by_path[("나",)][0].text.startswith("나\n문장 가입니다.")


def test_a_table_stands_alone_with_its_path_and_caption() -> None:
    table = Element(ElementKind.TABLE, "항목|값\n가|1", page=3, html="<table><tr><td>항목</td></tr></table>", box=Box(1, 2, 3, 4))
    drafts = chunk_document(
        document(title("요금", 1), prose("아래와 같다."), prose("표 1. 요금표"), table, prose("끝이다.")), SMALL
    )
    assert [draft.kind for draft in drafts] == [ElementKind.TEXT, ElementKind.TABLE, ElementKind.TEXT]
    assert drafts[1].text == "요금\n표 1. 요금표\n항목|값\n가|1"
    assert (drafts[1].html, drafts[1].page, drafts[1].box) == (table.html, 3, Box(1, 2, 3, 4))
    assert drafts[2].heading_path == ("요금",)


def test_an_oversize_table_is_cut_between_rows_and_repeats_its_header() -> None:
    rows = [f"| 항목{n} | 설명이 있는 값 {n} |" for n in range(30)]
    text = "\n".join(["| 이름 | 설명 |", "|---|---|", *rows])
    html = "<table><tr><th>이름</th></tr>" + "".join(f"<tr><td>{n}</td></tr>" for n in range(30)) + "</table>"
    parts = split_table(text, html, 60)
    assert len(parts) > 2
    assert all(part.text.startswith("| 이름 | 설명 |\n|---|---|\n") for part in parts)
    assert [line for part in parts for line in part.text.splitlines()[2:]] == rows
    assert all(count_tokens(part.text) <= 60 for part in parts)
    cells = [re.findall(r"<td>(\d+)</td>", part.html or "") for part in parts]
    assert [number for part in cells for number in part] == [str(n) for n in range(30)]
    assert all((part.html or "").startswith("<table><tr><th>이름</th></tr>") for part in parts)
    assert all(len(found) == len(part.text.splitlines()) - 2 for found, part in zip(cells, parts, strict=True))


def test_records_are_grouped_and_never_cut() -> None:
    records = [Element(ElementKind.RECORD, f"성명: 사람{n}\n부서: 인사팀\n업무: 채용과 교육") for n in range(12)]
    drafts = chunk_document(document(*records), SMALL)
    assert 1 < len(drafts) < 12
    assert [piece for draft in drafts for piece in draft.text.split("\n\n")] == [record.text for record in records]
    assert {draft.kind for draft in drafts} == {ElementKind.RECORD}


def test_code_that_fits_stays_whole() -> None:
    code = Element(ElementKind.CODE, "def f():\n    return 1. + 2.\n\n\nprint(f())")
    drafts = chunk_document(document(prose("문장입니다. " * 14), code, prose("설명입니다. " * 14)), SMALL)
    assert any(code.text in draft.text for draft in drafts)
    assert chunk_document(document(code), SMALL)[0].kind is ElementKind.CODE


def test_the_first_page_and_its_boxes_locate_a_chunk() -> None:
    drafts = chunk_document(
        document(prose("가.", 2, Box(10, 10, 50, 20)), prose("나.", 2, Box(5, 30, 40, 60)), prose("다.", 3, Box(0, 0, 99, 99))),
        SMALL,
    )
    assert [(draft.page, draft.box) for draft in drafts] == [(2, Box(5, 10, 50, 60))]


def test_later_chunks_know_their_own_page() -> None:
    first, second = "가나다라 마바사입니다. " * 8, "아자차카 타파하입니다. " * 8
    drafts = chunk_document(document(prose(first, 1), prose(second, 2)), SMALL.model_copy(update={"overlap_tokens": 0}))
    assert {draft.page for draft in drafts if "가나다라" in draft.text} == {1}
    assert {draft.page for draft in drafts if "가나다라" not in draft.text} == {2}


kinds = st.sampled_from(
    [ElementKind.TEXT, ElementKind.LIST_ITEM, ElementKind.CODE, ElementKind.TABLE, ElementKind.RECORD, ElementKind.IMAGE]
)
bodies = st.one_of(
    texts, st.lists(st.sampled_from(["배포했습니다.", "The end.", "a|b\nc|d", "값: 1"]), max_size=40).map(" ".join)
)
elements = st.one_of(
    st.builds(Element, kinds, bodies, page=st.integers(1, 3)),
    st.builds(lambda text, level: title(text, level), texts, st.integers(0, 4)),
)


def letters(texts: Iterable[str]) -> str:
    return "".join("".join(text.split()) for text in texts)


@RELAXED
@given(st.lists(elements, max_size=10))
def test_chunks_lose_nothing_and_fit(parts: list[Element]) -> None:
    drafts = chunk_document(document(*parts), SMALL)
    assert not Counter(letters(part.text for part in parts)) - Counter(letters(draft.text for draft in drafts))
    assert all(draft.text.strip() for draft in drafts)
    assert [draft.ordinal for draft in drafts] == list(range(len(drafts)))
    titles = sum(count_tokens(part.text) for part in parts if part.kind is ElementKind.TITLE)
    for draft in drafts:
        if draft.kind is ElementKind.TABLE:
            # The headings come on top of the table, and leave it half the room at least.
            assert count_tokens(draft.text) <= SMALL.table_max_tokens + titles + 2 * len(parts)
        else:
            assert count_tokens(draft.text) <= SMALL.target_tokens
    assert drafts == chunk_document(document(*parts), SMALL)


@RELAXED
@given(st.lists(elements.filter(lambda part: part.kind is not ElementKind.TABLE), max_size=10))
def test_without_overlap_the_chunks_are_the_document(parts: list[Element]) -> None:
    drafts = chunk_document(document(*parts), SMALL.model_copy(update={"overlap_tokens": 0}))
    assert letters(draft.text for draft in drafts) == letters(part.text for part in parts)


def test_every_word_of_a_long_document_is_found_in_order() -> None:
    words = [f"낱말{n}" for n in range(3000)]
    text = " ".join(f"{word}{'.' if n % 7 == 0 else ''}" for n, word in enumerate(words))
    drafts = chunk_document(document(prose(text)), ChunkerSettings())
    seen = list(dict.fromkeys(re.findall(r"낱말\d+", " ".join(draft.text for draft in drafts))))
    assert seen == words


class PairEmbedder:
    """Two topics, two directions."""

    name = "pair"
    dimension = 2
    languages = frozenset({"ko"})

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        counts = np.array([[text.count("배포") + 1e-3, text.count("급여") + 1e-3] for text in texts], dtype=np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self.embed_passages(texts)


def test_semantic_cuts_where_the_topic_turns() -> None:
    semantic = SMALL.model_copy(update={"method": "semantic", "target_tokens": 100})
    text = "배포 절차를 확인합니다. " * 9 + "급여 명세를 확인합니다. " * 9
    drafts = chunk_document(document(prose(text)), semantic, PairEmbedder())
    assert len(drafts) > 1
    # LlamaIndex compares each sentence together with its neighbours, so the turn is found to within one sentence.
    mixed = [draft for draft in drafts if "배포" in draft.text and "급여" in draft.text]
    assert all(min(draft.text.count("배포"), draft.text.count("급여")) <= 1 for draft in mixed)
    assert "".join("".join(draft.text.split()) for draft in drafts) == "".join(text.split())


def test_semantic_needs_an_embedder_that_reads_the_language() -> None:
    semantic = SMALL.model_copy(update={"method": "semantic"})
    with pytest.raises(SettingsError, match="needs an embedder"):
        chunk_document(document(prose("가.")), semantic)
    english = document(prose("This is a sentence about deployments. " * 30))
    assert chunk_document(english, semantic, PairEmbedder()) == chunk_document(english, SMALL)


def test_an_overlap_that_eats_the_chunk_is_refused() -> None:
    with pytest.raises(ValidationError, match="more than half"):
        ChunkerSettings(target_tokens=100, overlap_tokens=60)


def test_real_documents_keep_every_character() -> None:
    if not SHARED.exists():
        pytest.skip("the shared Korean documents are not here")
    for path in sorted(SHARED.rglob("*.md"))[:20]:
        text = path.read_text(encoding="utf-8")
        drafts = chunk_document(document(prose(text)), ChunkerSettings(overlap_tokens=0))
        assert "".join("".join(draft.text.split()) for draft in drafts) == "".join(text.split())
        assert all(count_tokens(draft.text) <= 400 for draft in drafts)
