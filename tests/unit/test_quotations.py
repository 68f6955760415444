"""Extractive answers quote what adds to the question, follow names into other documents, and end."""

from hypothesis import given
from hypothesis import strategies as st

from llmflow.answering.evidence import EvidenceSettings, weigh_evidence
from llmflow.answering.quotations import choose_sentences
from llmflow.retrieval.tokens import AnalyserSettings
from llmflow.types import Chunk, Document, DocumentStatus, ElementKind, Hit

SETTINGS, ANALYSER = EvidenceSettings(), AnalyserSettings()


def hit(name: str, text: str, score: float = 0.9, title: str = "", under: str = "", kind: ElementKind = ElementKind.TEXT) -> Hit:
    document = Document(name.partition("/")[0], "t", (), name, title or name, "txt", DocumentStatus.READY)
    language = "ko" if any("가" <= c <= "힣" for c in text) else "en"
    return Hit(Chunk(f"{name}-0", document.id, 0, text, kind, language, (under,) if under else ()), document, score)


def quoted(question: str, *hits: Hit, settings: EvidenceSettings = SETTINGS) -> list[str]:
    return [
        sentence.text for sentence in choose_sentences(weigh_evidence(question, hits, settings, ANALYSER), settings, ANALYSER)
    ]


FILLER = (
    hit("f1", "구내식당은 오전 11시부터 운영한다.", 0.2),
    hit("f2", "주차장은 지하 2층에 있다.", 0.15),
    hit("f3", "도서관은 금요일에 쉰다.", 0.1),
)


def test_what_says_it_again_is_not_quoted():
    right = hit("leave", "쓰지 못한 연차는 최대 5일까지 다음 해로 이월한다.")
    again = hit("notice", "연차 사용을 권장합니다. 연차는 다음 해 계획에 넣으세요.", 0.5)
    assert quoted("쓰지 못한 연차는 다음 해로 며칠까지 이월하나요?", right, again, *FILLER) == [right.chunk.text]


def test_a_korean_name_leads_to_the_other_document():
    first = hit("policy", "휴가는 한빛온에서 신청한다.")
    second = hit("guide", "출입증은 보안팀이 만든다.\n\n한빛온의 운영 부서는 인사정보파트다.", 0.7)
    beside = hit("other", "급여온의 관리 조직은 재무파트다.", 0.7)
    said = quoted("휴가를 신청하는 시스템의 운영 부서는?", first, beside, second, *FILLER)
    assert said == ["휴가는 한빛온에서 신청한다.", "한빛온의 운영 부서는 인사정보파트다."]


def test_an_english_name_leads_to_a_sentence_without_a_word_of_the_question():
    first = hit("film", "Silent Harbour was directed by Maria Lindqvist.")
    second = hit("person", "She likes tea. Maria Lindqvist comes from Uppsala.", 0.85, "Painters")
    beside = hit("beside", "Anna Berg comes from Oslo.", 0.85, "Sailors")
    said = quoted("Where was the one who directed Silent Harbour born?", first, beside, second)
    assert said == ["Silent Harbour was directed by Maria Lindqvist.", "Maria Lindqvist comes from Uppsala."]


def test_a_name_leads_to_the_section_that_bears_it_however_low_it_was_found_and_on_from_there():
    policy = hit("policy", "거래처 등록 심사는 바이온에서 진행한다.")
    system = hit("guide/1", "견적과 계약을 다룬다.\n\n운영은 구매파트가 맡는다.", 0.3, under="3. 바이온 (BuyOn)")
    beside = hit("guide/2", "급여와 인사를 다룬다.\n\n운영은 인사파트가 맡는다.", 0.31, under="4. 급여온 (PayOn)")
    team = hit("directory/1", "물품을 산다.\n\n자리는 별관 1층이다.", 0.2, under="구매파트")
    other = hit("directory/2", "사람을 뽑는다.\n\n자리는 본관 5층이다.", 0.21, under="인사파트")
    said = quoted("거래처 등록 심사를 진행하는 시스템의 운영을 맡은 팀은 어디에 있나요?", policy, beside, system, other, team)
    assert said == [policy.chunk.text, "운영은 구매파트가 맡는다.", "자리는 별관 1층이다."]


RECORDS = "코드: S-1\n시스템명: 급여온\n정기 점검: 매주 금요일\n\n코드: S-2\n시스템명: 바이온\n정기 점검: 매주 월요일"


def test_a_name_leads_to_its_own_record_and_not_to_the_one_above():
    policy = hit("policy", "거래처 등록 심사는 바이온에서 진행한다.")
    said = quoted(
        "거래처 등록 심사 시스템은 언제 점검하나요?", policy, hit("catalogue", RECORDS, 0.5, kind=ElementKind.RECORD), *FILLER
    )
    assert said == [policy.chunk.text, "시스템명: 바이온\n정기 점검: 매주 월요일"]


def test_a_section_leads_to_the_record_of_its_own_name():
    section = hit("guide", "거래처 등록과 심사를 다룬다.", under="바이온")
    said = quoted(
        "거래처 등록 심사 시스템은 언제 점검하나요?", section, hit("list", RECORDS, 0.5, kind=ElementKind.RECORD), *FILLER
    )
    assert said == [section.chunk.text, "시스템명: 바이온\n정기 점검: 매주 월요일"]


def test_a_record_that_was_quoted_for_the_question_alone_is_followed_by_the_one_that_a_name_leads_to():
    records = hit("catalogue", RECORDS, 0.9, kind=ElementKind.RECORD)
    said = quoted("심사 시스템의 정기 점검은 언제인가요?", records, hit("policy", "심사는 바이온에서 진행한다.", 0.85), *FILLER)
    assert said == [
        "시스템명: 급여온\n정기 점검: 매주 금요일",
        "심사는 바이온에서 진행한다.",
        "시스템명: 바이온\n정기 점검: 매주 월요일",
    ]


def test_a_name_leads_nowhere_once_the_value_asked_for_is_given():
    policy = hit("policy", "거래처 등록 심사는 바이온에서 매주 월요일에 진행한다.")
    system = hit("guide", "견적을 다룬다.", 0.8, under="바이온")
    asked = "거래처 등록 심사와 계약서 보관과 폐기는 언제 진행하나요?"
    assert quoted(asked, policy, system, *FILLER) == [policy.chunk.text]
    assert quoted(asked.replace("언제", "어떻게"), policy, system, *FILLER) == [policy.chunk.text, system.chunk.text]


def test_a_name_leads_to_one_sentence_of_what_bears_it():
    policy = hit("policy", "거래처 등록 심사는 바이온에서 진행한다.")
    system = hit("guide", "견적과 계약을 다룬다.\n\n휴대전화에서도 열린다.", 0.8, under="바이온")
    said = quoted("거래처 등록 심사를 진행하는 시스템을 개발하고 지원하는 업체는?", policy, system, *FILLER)
    assert said == [policy.chunk.text, "견적과 계약을 다룬다."]


def test_a_korean_noun_that_nothing_bears_leads_nowhere():
    policy = hit("policy", "구성원은 거래처 등록 심사를 포털에서 신청한다.")
    beside = hit("notice", "구성원은 명찰을 단다.", 0.85)
    assert quoted("거래처 등록 심사를 신청하는 시스템을 맡은 팀은?", policy, beside, *FILLER) == [policy.chunk.text]


def test_a_sentence_that_only_repeats_its_title_is_not_quoted():
    text = "Travel expense policy.\n\nClaims of travel expenses close after 30 days."
    assert quoted("travel expense policy", hit("p", text, title="Travel Expense Policy")) == [
        "Claims of travel expenses close after 30 days."
    ]


def test_a_numbered_heading_that_says_only_what_was_asked_is_not_quoted():
    text = "5. 동료 평가\n\n동료 평가는 최소 3명에게 받는다."
    assert quoted("동료 평가자는 몇 명까지 두나요?", hit("review", text)) == ["동료 평가는 최소 3명에게 받는다."]


def test_a_title_alone_is_quoted_rather_than_nothing():
    assert quoted("travel expense policy", hit("p", "Travel expense policy", title="Travel Expense Policy")) != []


def test_where_a_value_is_asked_for_the_sentence_that_has_one_follows():
    text = "The badge desk is run by the facilities team at the main gate and issues badges. Badges cost 12 euros."
    plain = "The badge desk is run by the facilities team at the main gate and issues badges. Badges cost extra."
    question = "How much does the badge of the badge desk at the main gate run by the facilities team take?"
    assert "Badges cost 12 euros." in quoted(question, hit("a", text))
    assert "Badges cost extra." not in quoted(question, hit("a", plain))


def test_limits_hold_and_nothing_is_said_twice():
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
    hits = [hit(word, f"The {word} valve opens. The {word} valve opens.") for word in words]
    said = quoted(" ".join(words), *hits, settings=SETTINGS.model_copy(update={"passages": 2}))
    assert len(said) == len(set(said)) == 2


def test_a_sentence_of_two_documents_is_quoted_once():
    text = "연차는 최대 5일까지 다음 해로 이월한다."
    assert quoted("연차는 며칠까지 이월하나요?", hit("a", text), hit("b", text, 0.88)) == [text]


def test_no_hits_no_quotations():
    assert quoted("무엇인가요?") == [] and quoted("", FILLER[0]) == []


@given(st.lists(st.text("가나다 abA1.\n", max_size=60), max_size=4), st.text("가나다 abA1?", max_size=20))
def test_any_text_is_quoted_within_the_limits_and_the_same_each_time(texts: list[str], question: str):
    hits = [hit(str(number), text, 0.5) for number, text in enumerate(texts)]
    evidence = weigh_evidence(question, hits, SETTINGS, ANALYSER)
    chosen = list(choose_sentences(evidence, SETTINGS, ANALYSER))
    assert chosen == list(choose_sentences(evidence, SETTINGS, ANALYSER))
    assert bool(chosen) == bool(evidence.sentences) and len(chosen) <= SETTINGS.sentences
    assert len({sentence.hit.chunk.id for sentence in chosen}) <= SETTINGS.passages
    for sentence in chosen:
        assert sentence.hit.chunk.text[sentence.start : sentence.end] == sentence.text
