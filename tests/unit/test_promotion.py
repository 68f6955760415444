"""The record of what is served: only a verdict moves it forward, and one step moves it back."""

import json
from dataclasses import replace

import pytest

from llmflow.adapters.sql_state import SqlStateStore
from llmflow.config import fingerprint_of
from llmflow.errors import DatasetError, PromotionRefused, SettingsError
from llmflow.evaluation.gate import Check, decide
from llmflow.evaluation.promotion import (
    Candidate,
    PromotionRecord,
    Served,
    candidates_from_json,
    candidates_to_json,
    differing_keys,
    promote,
    record_from_json,
    record_to_json,
    roll_back,
)
from llmflow.retrieval.retriever import RetrievalSettings
from llmflow.serving.evaluation.promotion import CANDIDATES, RECORD, SERVED, RetrievalPromotions
from llmflow.serving.evaluation.promotion_overview import describe, overview

NOW = "2026-01-02T03:04:05+00:00"
GOOD = Check("recall", True, 0.01, -0.02, "Recall holds.")
BAD = Check("recall", False, -0.3, -0.02, "Recall falls.")
CONF = {"channels": ["text"], "fusion": {"text": 1.0}}
CONFIGURED = Served(fingerprint_of(CONF), "conf", CONF)


def candidate(label: str, against: str, check: Check = GOOD, **settings: object) -> Candidate:
    values = {**CONF, "name": label, **settings}
    return Candidate(label, values, decide("retrieval settings", fingerprint_of(values), against, [check], NOW))


def served(record: PromotionRecord) -> str:
    return (record.champion or CONFIGURED).label


def test_a_verdict_moves_the_record_and_rolling_back_returns():
    first = candidate("a", CONFIGURED.id)
    one = promote(PromotionRecord(), CONFIGURED, first, "kim", NOW, "better")
    two = promote(one, CONFIGURED, candidate("b", first.id), "lee", NOW, "better still")
    assert [served(record) for record in (PromotionRecord(), one, two)] == ["conf", "a", "b"]
    assert two.previous is not None and two.previous.label == "a"
    back = roll_back(two, CONFIGURED.id, "kim", NOW, "regretted")
    assert served(back) == "a"
    home = roll_back(back, CONFIGURED.id, "kim", NOW, "")
    assert (home.stack, served(home)) == ((), "conf")
    assert [(change.action, change.by, change.reason) for change in home.history] == [
        ("promote", "kim", "better"),
        ("promote", "lee", "better still"),
        ("rollback", "kim", "regretted"),
        ("rollback", "kim", ""),
    ]
    assert home.history[0].verdict_made_at == NOW
    with pytest.raises(PromotionRefused, match="nothing to roll back"):
        roll_back(home, CONFIGURED.id, "kim", NOW, "")


def test_rolling_back_restores_what_was_served_though_conf_has_changed():
    one = promote(PromotionRecord(), CONFIGURED, candidate("a", CONFIGURED.id), "kim", NOW, "")
    back = roll_back(one, "another conf", "kim", NOW, "")
    assert back.champion is not None and back.champion.settings == CONF


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda item: candidate("a", CONFIGURED.id, BAD), "rejected a .*Recall falls"),
        (lambda item: replace(item, settings={**item.settings, "candidates": 9}), "changed after the gate"),
        (lambda item: candidate("a", "other"), "against other, but .* is served now"),
        (
            lambda item: Candidate("same", CONF, decide("retrieval settings", CONFIGURED.id, CONFIGURED.id, [GOOD], NOW)),
            "served already",
        ),
    ],
)
def test_nothing_is_promoted_without_a_verdict_that_holds(change, says):
    with pytest.raises(PromotionRefused, match=says):
        promote(PromotionRecord(), CONFIGURED, change(candidate("a", CONFIGURED.id)), "kim", NOW, "")


def test_a_verdict_of_yesterdays_champion_does_not_hold():
    one = promote(PromotionRecord(), CONFIGURED, candidate("a", CONFIGURED.id), "kim", NOW, "")
    with pytest.raises(PromotionRefused, match="against what is served"):
        promote(one, CONFIGURED, candidate("b", CONFIGURED.id), "kim", NOW, "")


def test_records_survive_writing():
    record = promote(PromotionRecord(), CONFIGURED, candidate("가", CONFIGURED.id), "kim", NOW, "더 낫다")
    assert record_from_json(record_to_json(record), "x") == record
    assert record_from_json(None, "x") == record_from_json("", "x") == PromotionRecord()
    known = {item.id: item for item in (candidate(str(n), "x") for n in range(25))}
    kept = candidates_from_json(candidates_to_json(known), "x")
    assert list(kept.items()) == list(known.items())[-20:]
    forged = json.loads(candidates_to_json({"x": candidate("a", "x", BAD)}))
    forged[0]["verdict"]["decision"] = "PROMOTE"
    with pytest.raises(DatasetError, match="changed by hand"):
        candidates_from_json(json.dumps(forged), "x")


def test_differing_keys_are_dotted():
    assert differing_keys({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 4, "d": 3}, "e": 5}) == {
        "b.c": (2, 4),
        "e": (None, 5),
    }


@pytest.fixture
def state(tmp_path):
    store = SqlStateStore(f"sqlite:///{tmp_path}/state.db")
    yield store
    store.close()


def judged(settings: RetrievalSettings, against: str, check: Check = GOOD) -> Candidate:
    verdict = decide("retrieval settings", settings.fingerprint(), against, [check], NOW)
    return Candidate("text only", settings.model_dump(mode="json"), verdict)


BASE = RetrievalSettings()
TEXT = RetrievalSettings(channels=("text",))


def test_two_processes_follow_each_other(state, tmp_path):
    """Two stores over one file stand for two processes; each has read before the other writes."""
    other = SqlStateStore(f"sqlite:///{tmp_path}/state.db")
    here, there = RetrievalPromotions(state, BASE), RetrievalPromotions(other, BASE)
    assert here.served().origin == there.served().origin == "conf"
    here.keep_verdict(judged(TEXT, BASE.fingerprint()))
    here.promote("text only", "kim", "a try")
    assert there.served().settings == TEXT and there.served().id == TEXT.fingerprint()
    there.roll_back("kim", "")
    assert here.served().settings == BASE
    other.close()


def test_unchanged_settings_are_parsed_once(state):
    promotions = RetrievalPromotions(state, BASE)
    promotions.keep_verdict(judged(TEXT, BASE.fingerprint()))
    promotions.promote(TEXT.fingerprint(), "kim", "")
    assert promotions.served() is promotions.served()


def test_what_the_gate_never_saw_or_rejected_is_refused(state):
    promotions = RetrievalPromotions(state, BASE)
    with pytest.raises(PromotionRefused, match=r"has not judged 'text only'.*nothing yet.*retrieval gate"):
        promotions.promote("text only", "kim", "")
    promotions.keep_verdict(judged(TEXT, BASE.fingerprint(), BAD))
    with pytest.raises(PromotionRefused, match="rejected text only"):
        promotions.promote("text only", "kim", "")
    assert promotions.served().origin == "conf" and promotions.record() == PromotionRecord()
    with pytest.raises(DatasetError, match="verdict is on"):
        promotions.keep_verdict(replace(judged(TEXT, "x"), settings=BASE.model_dump(mode="json")))


def test_a_verdict_forged_in_the_database_is_refused(state):
    promotions = RetrievalPromotions(state, BASE)
    promotions.keep_verdict(judged(TEXT, BASE.fingerprint(), BAD))
    written = state.setting(CANDIDATES)
    state.set_setting(CANDIDATES, written.replace('"REJECT"', '"PROMOTE"'))
    with pytest.raises(DatasetError, match="changed by hand"):
        promotions.promote("text only", "kim", "")


def test_a_change_of_conf_is_shown_and_not_served(state, caplog):
    before = RetrievalPromotions(state, BASE)
    before.keep_verdict(judged(TEXT, BASE.fingerprint()))
    before.promote("text only", "kim", "")
    assert before.conflict() == {}
    after = RetrievalPromotions(state, RetrievalSettings(candidates=50))
    assert after.served().settings == TEXT
    assert after.conflict() == {"candidates": (100, 50)}
    assert "is not served: candidates" in caplog.text
    shown = overview(after)
    assert shown["served"]["id"] == TEXT.fingerprint() and shown["not_served_from_conf"] == {
        "candidates": {"then": 100, "now": 50}
    }
    said = describe(shown)
    assert "promoted as 'text only'" in said and "candidates: 100 -> 50" in said and "promote conf" in said


def test_settings_of_another_version_are_refused_with_the_remedy(state):
    promotions = RetrievalPromotions(state, BASE)
    promotions.keep_verdict(judged(TEXT, BASE.fingerprint()))
    promotions.promote("text only", "kim", "")
    written = json.loads(state.setting(SERVED))
    written["settings"]["gone"] = 1
    state.set_setting(SERVED, json.dumps(written))
    with pytest.raises(SettingsError, match=r"gone.*llmflow retrieval rollback"):
        promotions.served()
    assert "PROBLEM:" in describe(overview(promotions))
    promotions.roll_back("kim", "another version")
    assert promotions.served().settings == BASE
    assert record_from_json(state.setting(RECORD), "x").stack == ()


def test_the_overview_names_verdicts_history_and_the_way_back(state):
    promotions = RetrievalPromotions(state, BASE)
    assert describe(overview(promotions)) == f"served:   {BASE.fingerprint()} (conf/)"
    promotions.keep_verdict(judged(RetrievalSettings(candidates=3), BASE.fingerprint(), BAD))
    promotions.keep_verdict(judged(TEXT, BASE.fingerprint()))
    promotions.promote(TEXT.fingerprint(), "kim", "a try")
    found = overview(promotions)
    assert [item["decision"] for item in found["verdicts"]] == ["PROMOTE", "REJECT"]
    assert json.loads(json.dumps(found))["previous"] == {"id": BASE.fingerprint(), "label": "conf"}
    said = describe(found)
    assert "by kim: a try" in said and "llmflow retrieval rollback" in said and BAD.reason in said
