"""Prompt templates: variables, versions, who may share and change, export and import."""

import pytest
from api_parts import told
from hypothesis import given
from hypothesis import strategies as st

from llmflow.answering.prompt_templates import MAX_VALUE, VARIABLE, render, variables_of
from llmflow.errors import Refused

KIM, LEE, ENGINEER, PARK = ({"who": name} for name in ("kim", "lee", "eng", "park"))
BODY = {
    "name": "leave-of",
    "title": "Leave of a team",
    "text": "How much leave has {{team}} in {{ year }}, {{team}}?",
    "examples": [{"question": "And IT?", "answer": "Fifteen days. [1]"}],
}


@pytest.fixture
def template(client):
    for who in (KIM, LEE, ENGINEER, PARK):
        for item in client.get("/api/templates", headers=who).json()["items"]:
            client.delete(f"/api/templates/{item['id']}", headers=ENGINEER if item["shared"] and who != PARK else who)
    return client.post("/api/templates", json=BODY, headers=KIM).json()


def test_a_template_is_made_filled_in_changed_and_deleted(client, template):
    path = f"/api/templates/{template['id']}"
    assert template["variables"] == ["team", "year"] and template["version"] == 1 and template["own"]
    filled = client.post(f"{path}/render", json={"values": {"team": "{{year}}", "year": "2026"}}, headers=KIM).json()
    assert filled == {"text": "How much leave has {{year}} in 2026, {{year}}?", "examples": BODY["examples"]}
    changed = client.put(path, json=BODY | {"text": "Leave in {{연도}}?"}, headers=KIM).json()
    assert changed["version"] == 2 and changed["variables"] == ["연도"]
    versions = client.get(f"{path}/versions", headers=KIM).json()
    assert [item["version"] for item in versions["items"]] == [2, 1]
    assert client.get(path, params={"version": 1}, headers=KIM).json()["text"] == BODY["text"]
    assert client.get(path, params={"version": 9}, headers=KIM).status_code == 404
    assert client.delete(path, headers=KIM).status_code == 204
    assert client.get(path, headers=KIM).status_code == 404


def test_what_is_not_shared_is_seen_by_its_maker_alone(client, template):
    path = f"/api/templates/{template['id']}"
    for who in (LEE, ENGINEER, PARK):
        for method, route, body in (("GET", "", None), ("PUT", "", BODY), ("DELETE", "", None), ("GET", "/versions", None),
                                    ("POST", "/render", {"values": {}})):  # fmt: skip
            theirs = client.request(method, path + route, json=body, headers=who)
            random = client.request(method, f"/api/templates/{'0' * 32}{route}", json=body, headers=who)
            assert theirs.status_code == random.status_code == 404 and told(theirs) == told(random)
        assert client.get("/api/templates", headers=who).json()["total"] == 0


def test_sharing_is_for_engineers_and_ends_at_the_tenant(client, template):
    assert client.post("/api/templates", json=BODY | {"name": "x", "shared": True}, headers=KIM).status_code == 403
    path = f"/api/templates/{template['id']}"
    assert client.put(path, json=BODY | {"shared": True}, headers=KIM).status_code == 403
    shared = client.post("/api/templates", json=BODY | {"name": "for-all", "shared": True}, headers=ENGINEER).json()
    path = f"/api/templates/{shared['id']}"
    assert client.get(path, headers=LEE).json()["own"] is False
    assert client.get(path, headers=PARK).status_code == 404
    assert client.put(path, json=BODY | {"name": "for-all"}, headers=LEE).status_code == 403
    assert client.delete(path, headers=LEE).status_code == 403
    assert client.delete(path, headers=PARK).status_code == 404
    assert client.put(path, json=BODY | {"name": "for-all", "shared": True}, headers=ENGINEER).json()["version"] == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Upper"}, {"name": "two words"}, {"name": "-x"}, {"name": ""}, {"title": " "}, {"text": ""}, {"text": "{{}}"},
        {"text": "{{1a}}"}, {"text": "{{a b}}"}, {"text": "{{a"}, {"text": "a\x00"}, {"examples": [{"question": "a"}]},
        {"examples": [{"question": "", "answer": "b"}]}, {"owner": "lee"}, {"text": "x" * 8001},
    ],
)  # fmt: skip
def test_a_wrong_template_is_refused_by_field(client, template, wrong):
    response = client.post("/api/templates", json=BODY | {"name": "other"} | wrong, headers=KIM)
    assert response.status_code == 422 and next(iter(wrong)) in response.json()["error"]


def test_a_name_stands_once(client, template):
    assert client.post("/api/templates", json=BODY, headers=KIM).status_code == 409
    assert client.post("/api/templates", json=BODY, headers=LEE).status_code == 201


@pytest.mark.parametrize("values", [{}, {"team": "a"}, {"team": "a", "year": " "}, {"team": "a", "year": "b", "more": "c"},
                                    {"team": "a", "year": "x" * (MAX_VALUE + 1)}])  # fmt: skip
def test_values_must_fit(client, template, values):
    response = client.post(f"/api/templates/{template['id']}/render", json={"values": values}, headers=KIM)
    assert response.status_code == 422 and response.json()["next"]


def test_a_file_carries_templates_to_somebody_else_and_updates_on_a_second_import(client, template):
    file = client.get("/api/templates/export", headers=KIM).json()
    assert file["version"] == 1 and "account_id" not in str(file)
    assert client.post("/api/templates/import", json=file, headers=LEE).json() == {"created": ["leave-of"], "updated": []}
    assert client.post("/api/templates/import", json=file, headers=LEE).json() == {"created": [], "updated": ["leave-of"]}
    (mine,) = client.get("/api/templates", headers=LEE).json()["items"]
    assert (mine["text"], mine["version"], mine["own"]) == (BODY["text"], 2, True)
    assert client.get("/api/templates/export", headers=LEE).json() == file


@pytest.mark.parametrize(
    "file",
    [
        [], {}, {"format": "other", "version": 1, "templates": []},
        {"format": "llmflow-prompt-templates", "version": 2, "templates": []},
        {"format": "llmflow-prompt-templates", "version": 1, "templates": [BODY, BODY | {"name": "B A D"}]},
        {"format": "llmflow-prompt-templates", "version": 1, "templates": [BODY | {"name": "twice"}, BODY | {"name": "twice"}]},
    ],
)  # fmt: skip
def test_nothing_is_taken_of_a_wrong_file(client, template, file):
    before = client.get("/api/templates", headers=LEE).json()
    assert client.post("/api/templates/import", json=file, headers=LEE).status_code == 422
    assert client.get("/api/templates", headers=LEE).json() == before
    shared = {"format": "llmflow-prompt-templates", "version": 1, "templates": [BODY | {"shared": True}]}
    assert client.post("/api/templates/import", json=shared, headers=LEE).status_code == 403


@given(st.text(), st.dictionaries(st.from_regex(r"[a-z_가-힣][a-z0-9_]{0,5}", fullmatch=True), st.text(min_size=1)))
def test_every_text_either_says_its_variables_or_is_refused_and_renders_once(text, values):
    try:
        names = variables_of(text + "".join(f"{{{{ {name} }}}}" for name in values))
    except ValueError:
        return
    assert set(values) <= set(names) and len(set(names)) == len(names)
    whole = "".join(f"{{{{ {name} }}}}" for name in values)
    try:
        assert render(whole, values) == "".join(values.values())
    except Refused:
        assert any(not value.strip() for value in values.values())
    assert VARIABLE.sub("", whole) == ""
