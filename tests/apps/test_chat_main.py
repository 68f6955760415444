"""How the chat is configured and started."""

import json
from pathlib import Path

import pytest
from auth_site import make_site

from apps.chat.main import announcement, check_host, load_settings
from apps.chat.settings import ChatAppSettings
from llmflow.accounts.settings import AuthSettings, SingleSettings
from llmflow.errors import SettingsError
from llmflow.evaluation.judged_sets import load_sample_questions

CONF = Path(__file__).resolve().parents[2] / "conf"


@pytest.mark.parametrize("env", ["base", "production", "test"])
def test_every_environment_has_a_chat(env):
    settings = load_settings(env, CONF)
    assert settings.host == "127.0.0.1"
    first = settings.auth.first_accounts
    assert settings.auth.mode == "accounts" and "administrator" in {account.role for account in first}
    if env == "production":
        assert [(account.name, account.groups) for account in first] == [("admin", ())], "the sample's people must not be let in"


@pytest.mark.parametrize(("host", "allowed"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False)])
def test_single_user_mode_listens_to_this_machine_only(host, allowed):
    single = ChatAppSettings(host=host, auth=AuthSettings(mode="single"))
    if allowed:
        check_host(single)
    else:
        with pytest.raises(SettingsError, match="would be the administrator"):
            check_host(single)
    check_host(ChatAppSettings(host=host, auth=AuthSettings(mode="single", single=SingleSettings(allow_other_hosts=True))))
    check_host(ChatAppSettings(host=host, auth=AuthSettings(mode="accounts")))


def test_new_accounts_are_told_once_in_a_table_or_in_the_address_line(tmp_path):
    site = make_site(tmp_path, first_accounts=[{"name": "admin", "role": "administrator"}, {"name": "hr", "groups": ["hr"]}])
    told = announcement("http://127.0.0.1:1", site.access, as_json=False)
    assert told.splitlines()[0] == "llmflow chat: http://127.0.0.1:1"
    for account in site.access.created:
        assert told.count(account.one_time_password) == 1
    row = json.loads(announcement("http://127.0.0.1:1", site.access, as_json=True))["first_accounts"][1]
    assert (row["tenant"], row["name"], row["groups"]) == ("home", "hr", ["hr"])
    again = make_site(tmp_path, first_accounts=[{"name": "admin"}])
    assert announcement("http://127.0.0.1:1", again.access, as_json=True) == '{"address": "http://127.0.0.1:1"}'


def test_samples_are_judged_questions_that_the_first_account_may_read():
    settings = load_settings("base", CONF)
    judged = load_sample_questions(CONF.parent / "data" / "sample" / "questions.jsonl")
    asks, tenant = settings.auth.first_accounts[0], settings.auth.home_tenant
    for sample in (*settings.samples_ko, *settings.samples_en):
        question = next(q for q in judged if q.text == sample)
        assert question.evidence and question.principal.tenant == (asks.tenant or tenant)
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
