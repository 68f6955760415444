"""Korean and English text to tokens: what meets, what falls away, what stays whole."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.retrieval.tokens import AnalyserSettings, analyse, bigrams, fold, joined, latin_token, morphemes

PLAIN = AnalyserSettings(bigrams=False)


def tokens(text: str, settings: AnalyserSettings = PLAIN, question: bool = False) -> list[str]:
    return analyse([text], settings, question)[0].split()


def test_particles_and_endings_fall_away():
    assert tokens("법인카드를 신청했습니다") == tokens("법인카드는 신청하며")[: len(tokens("법인카드를 신청했습니다"))]
    assert "를" not in tokens("카드를 신청했습니다")


def test_question_words_fall_away_in_questions_only():
    assert "얼마" in tokens("수수료는 얼마")
    assert "얼마" not in tokens("수수료는 얼마", question=True)
    assert "수수료" in tokens("수수료는 얼마", question=True)


@pytest.mark.parametrize(("one", "other"), [("법인 카드", "법인카드"), ("연차 휴가", "연차휴가")])
def test_spacing_of_compounds_does_not_matter_to_bigrams(one, other):
    assert list(bigrams(one)) == list(bigrams(other))


def test_bigrams_by_hand():
    assert list(bigrams("가나 다")) == ["가나", "나다"]
    assert list(bigrams("ab c가")) == ["c가"]
    assert list(bigrams("")) == []


def test_english_meets_by_stem_without_case_accents_and_stop_words():
    assert tokens("The Policies were Cafés") == tokens("policy café")
    assert tokens("policies", AnalyserSettings(stem_english=False)) == ["policies"]
    assert latin_token("2024") == "2024"


@pytest.mark.parametrize("code", ["SEV1", "D07", "AES256"])
def test_codes_stay_whole_beside_hangul(code):
    assert code.lower() in tokens(f"장애 등급 {code} 기준")
    assert tokens(code) == [code.lower()]


def test_touching_letters_and_digits_join_and_others_do_not():
    found = morphemes(["SEV1 장애"], PLAIN)[0] or []
    assert [token.form for token in joined(found)][:1] == ["SEV1"]
    found = morphemes(["SEV 1 장애"], PLAIN)[0] or []
    assert [token.form for token in joined(found)][:2] == ["SEV", "1"]


def test_only_text_with_hangul_is_analysed_by_morphemes():
    found = morphemes(["plain English", "한글", ""], PLAIN)
    assert [item is None for item in found] == [True, False, True]


LETTERS = st.text(st.sampled_from("가각한a Zé\u0301ﬁß·“ㄱㅏㄳ㉠㈀각ꥠﾡ漢Ως"), max_size=8)


@given(LETTERS | st.text(max_size=8))
def test_folding_piece_by_piece_is_folding_the_whole(text):
    decomposed = unicodedata.normalize("NFKD", text.lower())
    assert fold(text) == unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def test_morphemes_that_were_kept_are_nobody_elses():
    first = morphemes(["휴가를 신청한다"], AnalyserSettings())[0]
    assert first
    first.clear()
    again = morphemes(["휴가를 신청한다"], AnalyserSettings())
    assert again[0] and again == morphemes(["휴가를 신청한다", "x"], AnalyserSettings())[:1]


@given(st.text(alphabet="abXYZ가나 éÀüß1-", max_size=60))
def test_folding_twice_changes_nothing_and_keeps_hangul(text):
    assert fold(fold(text)) == fold(text)
    assert fold("한글 " + text.upper()).startswith("한글 ")


@given(st.lists(st.text(alphabet="abcXYZ019 -_.,'é", max_size=40), max_size=4))
def test_tokens_are_letters_and_digits_and_each_text_has_its_own(texts):
    analysed = analyse(texts, PLAIN)
    assert analysed == [analyse([text], PLAIN)[0] for text in texts]
    assert all(token.isalnum() for line in analysed for token in line.split())


@pytest.mark.parametrize("question", ["useMemo란 무엇인가요?", "useMemo가 뭐야?", "useMemo는 뭔가요?"])
def test_words_of_asking_make_no_bigrams_of_their_own(question):
    found = tokens(question, AnalyserSettings(), question=True)
    assert found[0] == "usememo"
    assert not {"란무", "무엇", "엇인", "인가", "가요", "뭐야", "는뭔", "뭔가"} & set(found)
    assert len(found) <= found.count("usememo") + 2, "the subject is not outnumbered"
    assert {"무엇", "엇인", "인가"} <= set(tokens("useMemo란 무엇인가요?", AnalyserSettings())), "documents keep theirs"


@given(st.text(alphabet="가나다는무엇 aB1?!", max_size=40))
def test_pairs_of_a_question_are_pairs_of_its_text_in_order(text):
    every = list(bigrams(text))
    kept = iter(every)
    assert all(pair in kept for pair in bigrams(text, [letter in "가나" for letter in text]))
    assert list(bigrams(text, [True] * len(text))) == every
    assert not list(bigrams(text, [False] * len(text)))


def test_a_latin_name_in_a_korean_question_counts_as_much_as_a_korean_word():
    settings = AnalyserSettings()
    asked = analyse(["VaultBox 정기점검은 언제인가요?"], settings, question=True)[0].split()
    assert asked.count("vaultbox") == 3
    assert analyse(["VaultBox 정기점검은 언제인가요?"], settings)[0].split().count("vaultbox") == 1
    assert analyse(["When is VaultBox checked?"], settings, question=True)[0].split().count("vaultbox") == 1
