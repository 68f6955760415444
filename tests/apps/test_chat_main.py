"""How the chat is configured and started."""

from pathlib import Path

import pytest

from apps.chat.main import load_settings, main
from llmflow.errors import SettingsError
from llmflow.evaluation.judged_sets import load_sample_questions

CONF = Path(__file__).resolve().parents[2] / "conf"


@pytest.mark.parametrize("env", ["base", "production", "test"])
def test_every_environment_has_a_chat(env):
    settings = load_settings(env, CONF)
    assert settings.host == "127.0.0.1"
    assert bool(settings.profiles) == (env != "production"), "the sample's profiles must not open production's documents"


def test_a_chat_that_nobody_may_ask_does_not_start(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "chat.yml").write_text("title: empty\n")
    with pytest.raises(SettingsError, match=r"names no profiles.*conf/base/chat\.yml"):
        main("base", port=0, conf=tmp_path)


def test_samples_are_judged_questions_that_the_first_profile_may_read():
    settings = load_settings("base", CONF)
    judged = load_sample_questions(CONF.parent / "data" / "sample" / "questions.jsonl")
    asks = settings.profiles[0].principal()
    for sample in (*settings.samples_ko, *settings.samples_en):
        question = next(q for q in judged if q.text == sample)
        assert question.evidence and question.principal.tenant == asks.tenant
        evidence = {item.source.split("/")[1] for item in question.evidence}
        assert evidence <= {"shared", *asks.groups}, sample


def test_an_environment_states_only_its_differences(tmp_path):
    for env, text in (("base", "title: One\nport: 1\n"), ("production", "port: 2\n")):
        (tmp_path / env).mkdir()
        (tmp_path / env / "chat.yml").write_text(text)
    settings = load_settings("production", tmp_path)
    assert (settings.title, settings.port) == ("One", 2)
    assert load_settings("base", tmp_path).port == 1


@pytest.mark.parametrize("text", ["titel: typing error\n", "port: [\n", "port: 99999999\n", "- a list\n"])
def test_a_wrong_file_is_named(tmp_path, text):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "chat.yml").write_text(text)
    with pytest.raises(SettingsError, match=r"chat\.yml"):
        load_settings("base", tmp_path)


def test_a_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(SettingsError, match="--conf"):
        load_settings("base", tmp_path)
