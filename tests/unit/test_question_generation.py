"""Questions made from documents: what they ask, what proves them, who asks, and what is never asked."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judged_corpus import FILES, SETTINGS, served, served_document

from llmflow.errors import DatasetError
from llmflow.evaluation.metrics import normalise_quote
from llmflow.evaluation.question_generation import Candidate, GenerationSettings, generate_questions, spread
from llmflow.evaluation.question_generation_checks import check_questions, question_key, trivial_reason
from llmflow.evaluation.question_generation_facts import facts_of, record_facts, table_facts
from llmflow.evaluation.question_generation_sentences import definition_of, field_of, figure_of
from llmflow.evaluation.question_generation_wording import with_particle
from llmflow.types import ElementKind

ANALYSER = SETTINGS.analyser
EVERYTHING = GenerationSettings(limit=500, unanswerable_share=0.5, oversampling=1)


def generate(documents=None, **changes: object):
    found = served() if documents is None else documents
    return generate_questions(lambda: iter(found), EVERYTHING.model_copy(update=changes), ANALYSER, "2026-11-25")


@pytest.fixture(scope="module")
def everything():
    return generate().questions


def named(questions, text: str):
    """Return the question with an answer that is worded so."""
    (found,) = [question for question in questions if question.text == text and question.answerable]
    return found


@pytest.mark.parametrize(
    ("text", "kind", "answer", "groups"),
    [
        ("구름창고의 점검 요일은 무엇인가요?", "table", "수요일", set()),
        ("업무지원팀의 내선은 무엇인가요?", "table", "4520", set()),
        ("선임연구원의 기본급은 무엇인가요?", "table", "월 520만 원", {"finance"}),
        ("연차는 한 해 며칠까지 쓸 수 있나요?", "single", "15일", {"hr"}),
        ("반차란 무엇인가요?", "single", "근무일의 절반을 쉬는 휴가를 말한다", {"hr"}),
        ("Visitor badges are valid for how many hours at most?", "single", "12 hours", set()),
        ("What is meant by escort?", "single", "a member of staff who stays with the visitor", set()),
        ("구름창고의 담당 팀에 해당하는 곳 또는 항목의 내선은 무엇인가요?", "multi", "4410", set()),
    ],
)
def test_documents_become_questions_asked_by_who_may_read_them(everything, text, kind, answer, groups):
    question = named(everything, text)
    assert (question.kind, question.answer, set(question.principal.groups)) == (kind, answer, groups)
    assert question.principal.tenant == "acme" and question.answerable
    assert question.standing == "generated" and question.origin.generator == "templates" and question.origin.date == "2026-11-25"


def test_every_quote_stands_in_a_passage_of_its_source_that_the_asker_may_read(everything):
    texts = {document.source: [item.chunk.text for item in prepared.chunks] for document, prepared in served()}
    groups = {document.source: document for document, _ in served()}
    for question in everything:
        for item in question.evidence:
            assert any(item.quote in text for text in texts[item.source])
            assert question.principal.may_read("acme", groups[item.source].groups)
            assert normalise_quote(item.quote) not in normalise_quote(question.text)


def test_a_question_over_two_documents_has_evidence_in_both_and_names_no_link(everything):
    question = named(everything, "구름창고의 담당 팀에 해당하는 곳 또는 항목의 내선은 무엇인가요?")
    assert [item.source for item in question.evidence] == ["systems.md", "contacts.csv"]
    assert "자료관리팀" not in question.text


def test_personal_data_is_never_asked_for(everything):
    assert not [question for question in everything if "전화" in question.text or "[" in question.text]
    assert named(everything, "상담은 한 달에 몇 회까지 신청할 수 있나요?"), "what stands beside it is asked for"


def test_unanswerable_questions_hold_for_everything_that_their_asker_may_read(everything):
    without = [question for question in everything if not question.answerable]
    assert {question.kind for question in without} == {"permission", "unanswerable"}
    for question in without:
        readable = [document.source for document, _ in served() if question.principal.may_read("acme", document.groups)]
        assert not set(question.forbidden) & set(readable)
    texts = {question.text for question in without}
    assert "선임연구원의 기본급은 무엇인가요?" in texts, "asked again by somebody who may not read the pay table"
    assert {"바람결재의 연간 비용은 무엇인가요?", "햇살메일의 담당 팀은 무엇인가요?"} & texts, "told of its like, not of itself"


def test_what_a_second_document_knows_too_is_dropped():
    twin = served_document("copy.md", "시스템 목록 사본", ("*",), "현황", ElementKind.TABLE, served_text("systems.md"))
    texts = {question.text for question in generate((*served(), twin)).questions}
    assert "구름창고의 점검 요일은 무엇인가요?" not in texts
    prose = "구름창고의 점검 요일은 목요일로 바뀌었다고 한다. 자세한 것은 묻는다."
    told = served_document("news.md", "소식", ("*",), "알림", ElementKind.TEXT, prose)
    found = generate((*served(), told))
    assert "구름창고의 점검 요일은 무엇인가요?" not in {q.text for q in found.questions}
    assert found.dropped["several documents"] >= 1
    hidden = (replace(told[0], tenant="rival"), told[1])
    assert "구름창고의 점검 요일은 무엇인가요?" in {q.text for q in generate((*served(), hidden)).questions}, (
        "other tenants do not count"
    )


def served_text(source: str) -> str:
    return next(file[5] for file in FILES if file[0] == source)


def test_a_colleague_is_not_said_to_be_without_an_answer_that_another_document_gives():
    prose = "선임연구원은 기본급 외에 수당을 받는다."
    known = served_document("faq.md", "자주 묻는 질문", ("*",), "급여", ElementKind.TEXT, prose)
    found = {(q.text, q.answerable) for q in generate((*served(), known)).questions}
    assert ("선임연구원의 기본급은 무엇인가요?", False) not in found


def test_the_same_seed_gives_the_same_questions_and_another_one_another_choice():
    first, again = generate(limit=8), generate(tuple(reversed(served())), limit=8)
    assert [q.id for q in first.questions] == [q.id for q in again.questions], "the order of documents does not matter"
    assert first.questions[0].origin.fingerprint == again.questions[0].origin.fingerprint
    other = generate(limit=8, seed=8)
    assert {q.id for q in other.questions} != {q.id for q in first.questions}
    assert len({q.id for q in first.questions}) == 8


def test_a_corpus_without_facts_says_what_to_do():
    plain = served_document("empty.md", "빈 문서", ("*",), "", ElementKind.TEXT, "그렇다.")
    with pytest.raises(DatasetError, match="Ingest documents"):
        generate((plain,))


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        template=st.sampled_from(["table", "figure", "look-alike", "not permitted"]),
        text=st.text("abcdefgh", min_size=4, max_size=8),
        language=st.sampled_from(["ko", "en"]),
        tenant=st.just("acme"),
        groups=st.just(()),
        evidence=st.just(()),
        documents=st.tuples(st.sampled_from(["a", "b", "c"])),
    ),
    max_size=40,
    unique_by=lambda candidate: candidate.text,
)


@settings(max_examples=60, deadline=None)
@given(CANDIDATES, st.integers(0, 3))
def test_spreading_keeps_the_share_of_unanswerable_ones_and_invents_nothing(candidates, seed):
    chosen = list(spread(candidates, GenerationSettings(seed=seed, unanswerable_share=0.25)))
    assert not Counter(chosen) - Counter(candidates)
    assert list(spread(list(reversed(candidates)), GenerationSettings(seed=seed, unanswerable_share=0.25))) == chosen
    for length in range(1, len(chosen) + 1):
        assert sum(item.template in ("look-alike", "not permitted") for item in chosen[:length]) <= 0.25 * length
    asked = [item for item in candidates if item.template in ("table", "figure")]
    assert Counter(item for item in chosen if item.template in ("table", "figure")) == Counter(asked)


def test_any_beginning_is_spread_over_documents_and_templates():
    many = [Candidate("table", f"t{n}", "ko", "acme", (), (), documents=("big",)) for n in range(20)]
    many += [Candidate("table", "t", "ko", "acme", (), (), documents=("small",)), Candidate("figure", "f", "en", "acme", (), ())]
    begun = list(spread(many, GenerationSettings()))[:3]
    assert {(item.template, item.documents) for item in begun} == {("table", ("big",)), ("table", ("small",)), ("figure", ())}


@pytest.mark.parametrize(
    ("text", "quotes", "answer", "reason"),
    [
        ("'연차는 15일이다'는 맞나요?", ["연차는 15일이다."], "", "holds its quote"),
        ("연차 15일은 며칠?", ["다른 글"], "15일", "holds its answer"),
        ("연차는 며칠인가요?", ["연차는 15일이다"], "15일", None),
        ("CARDS of the card?", ["x"], "CARD", "holds its answer"),
        ("cardboard?", ["x"], "card", None),
    ],
)
def test_questions_that_tell_their_answer_are_trivial(text, quotes, answer, reason):
    assert trivial_reason(text, quotes, answer) == reason


def test_wordings_meet_without_spaces_case_and_marks():
    assert question_key("What is  a VPN?") == question_key("what is a vpn") != question_key("what is a vpn2")
    assert check_questions([], lambda: (), ANALYSER) == ([], {})


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("병가는 한 해 30일까지 쓸 수 있고, 연속 4일 이상이면 진단서를 낸다.", ("병가는 한 해 며칠까지 쓸 수 있나요?", "30일")),
        ("경조금은 사유 발생일부터 90일 안에 신청해야 한다.", ("경조금은 사유 발생일부터 며칠 안에 신청해야 하나요?", "90일")),
        ("국내 출장의 일비는 하루 40,000원이다.", ("국내 출장의 일비는 하루 얼마인가요?", "40,000원")),
        ("병가 중 급여는 통상임금의 70%를 지급합니다.", ("병가 중 급여는 통상임금의 몇 퍼센트를 지급하나요?", "70%")),
        ("추천한 사람이 입사해 3개월을 근무하면 보상을 준다.", None),
        ("이 제도는 한 해 3회까지 쓸 수 있다.", None),
        ("현재 판은 제조사 지원이 2026년 12월에 끝난다.", None),
        ("Badges are valid for 12 hours.", ("Badges are valid for how many hours?", "12 hours")),
        ("It lasts for 12 hours and a day.", None),
        ("The 2 rooms hold 30 people.", None),
    ],
)
def test_figures_are_asked_for_where_they_stand(sentence, found):
    assert figure_of(sentence) == found


@pytest.mark.parametrize(
    ("sentence", "titles", "glossary", "found"),
    [
        ("RTO란 복구까지 걸려도 되는 시간을 말한다.", (), False, ("RTO", "복구까지 걸려도 되는 시간을 말한다")),
        (
            "'극비'는 새어 나가면 회사가 위험해지는 정보를 뜻한다.",
            (),
            False,
            ("극비", "새어 나가면 회사가 위험해지는 정보를 뜻한다"),
        ),
        ("청람은 분석용 자료를 모으는 데이터 레이크이다.", ("청람",), False, ("청람", "분석용 자료를 모으는 데이터 레이크이다")),
        ("청람은 분석용 자료를 모으는 데이터 레이크이다.", (), False, None),
        ("이것은 자료를 오래 보관하는 장소를 말한다.", (), False, None),
        ("그렇게 하는 것은 규정을 어기는 일을 의미한다.", (), False, None),
        ("SLA: 서비스 수준 협약", (), True, ("SLA", "서비스 수준 협약")),
        ("SLA: 서비스 수준 협약", (), False, None),
        ("An escort means a member of staff.", (), False, ("escort", "a member of staff")),
        ("Probation is a period of three months.", ("probation",), False, ("Probation", "a period of three months")),
        ("There is a period of three months.", ("there",), False, None),
    ],
)
def test_definitions_are_told_from_other_sentences(sentence, titles, glossary, found):
    assert definition_of(sentence, titles, glossary) == found


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("운영 부서는 데이터플랫폼팀이다.", ("운영 부서", "데이터플랫폼팀")),
        ("운영 부서는 인사정보파트다.", ("운영 부서", "인사정보파트")),
        ("기재 예시는 다음과 같다.", None),
        ("물품은 창고에서 보낸다.", None),
        ("렌더링은 비동기적이다.", None),
    ],
)
def test_fields_have_a_noun_on_either_side(sentence, found):
    assert field_of(sentence) == found


def test_tables_need_a_column_that_names_their_rows():
    numbers = "| 번호 | 값 |\n| --- | --- |\n| 1 | 가나 |\n| 2 | 가나 |"
    assert list(table_facts(numbers)) == []
    assert list(table_facts("| 이름 | 값 |\n| 가나 | 1 |")) == [], "without a rule there is no header"
    named = "| 번호 | 이름 | 값 |\n| --- | --- | --- |\n| 1 | 가나 | 3층 |\n| 2 | 다라 | |"
    assert [(fact.subject, fact.attribute, fact.value) for fact in table_facts(named)] == [
        ("가나", "번호", "1"), ("가나", "값", "3층"), ("다라", "번호", "2"),
    ]  # fmt: skip


def test_records_are_named_by_their_name_field_and_twins_are_left_out():
    text = "코드: A-1\n이름: 구름창고\n요일: 수\n\n코드: A-2\n이름: 구름창고\n요일: 금\n\n코드: A-3\n이름: 바람결재\n요일: 목"
    facts = list(record_facts(text))
    assert {(fact.subject, fact.attribute) for fact in facts} == {("바람결재", "코드"), ("바람결재", "요일")}
    assert all(fact.quote in text for fact in facts)


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from("가나 :|-\n12ab.은는이다"), max_size=80))
def test_any_text_is_read_without_breaking_and_quotes_stay_verbatim(text: str):
    for fact in (*table_facts(text), *record_facts(text)):
        assert fact.quote in text and fact.value.strip() and fact.subject.strip()


def test_facts_keep_their_document():
    (fact,) = [fact for fact in facts_of(*served()[0]) if (fact.subject, fact.attribute) == ("구름창고", "담당 팀")]
    assert (fact.source, fact.title, fact.tenant, fact.groups, fact.value) == (
        "systems.md",
        "시스템 목록",
        "acme",
        ("*",),
        "자료관리팀",
    )


def test_particles_follow_the_last_syllable():
    assert with_particle("연차", "은", "는") == "연차는"
    assert with_particle("규정(안)", "은", "는") == "규정(안)은"
    assert with_particle("VPN", "을", "를") == "VPN을(를)"
