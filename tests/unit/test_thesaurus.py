"""Words that stand for a word of the question in the other language."""

from llmflow.retrieval.proximity import WordFinder
from llmflow.retrieval.thesaurus import ThesaurusSettings, equivalents


def test_a_word_leads_to_its_meanings_in_the_other_language_only():
    found = equivalents(["백업", "extens", "백업", "unheard"], ThesaurusSettings())
    assert found == {"백업": ("backup",), "extens": ("내선",)}


def test_several_meanings_are_all_kept():
    assert {"승인", "결재"} <= set(equivalents(["approv"], ThesaurusSettings())["approv"])
    assert {"review", "evalu"} <= set(equivalents(["평가"], ThesaurusSettings())["평가"])


def test_a_house_adds_its_own_words():
    settings = ThesaurusSettings(more=(("원장", "ledger"), ("백업", "Snapshots")))
    assert equivalents(["원장", "ledger", "백업"], settings) == {
        "원장": ("ledger",),
        "ledger": ("원장",),
        "백업": ("backup", "snapshot"),
    }
    assert "원장" not in equivalents(["원장"], ThesaurusSettings())


def test_it_can_be_switched_off():
    assert equivalents(["백업"], ThesaurusSettings(enabled=False)) == {}


def test_a_word_is_found_in_either_language_in_the_order_of_the_text():
    finder = WordFinder(["백업", "주기"], {"백업": ("backup",)})
    assert finder.positions("Backups run daily. 백업 주기는 하루다.") == {"백업": [0, 19], "주기": [22]}
