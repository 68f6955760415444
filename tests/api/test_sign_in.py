"""Signing in over HTTP with the real account store: what opens, what does not, what nobody can find out, how long it holds."""

import threading

import pytest
from auth_site import LEAST_HASHING, OWN, PASSWORD, make_site
from fastapi import WebSocket
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from llmflow.accounts.settings import AuthSettings
from llmflow.accounts.tokens import token_hash
from llmflow.serving.people.auth import SESSION_COOKIE

WRONG = "not this one at all"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = make_site(tmp_path_factory.mktemp("site"), lockout={"attempts": 3, "minutes": 10}, addresses={"attempts": 1000})
    made.add("kim", groups=("hr",))
    made.add("kim", tenant="other", password="another sentence altogether")
    return made


def attempt(client: TestClient, name="kim", password=PASSWORD, tenant="home", headers=OWN):
    return client.post("/api/auth/sign-in", json={"name": name, "password": password, "tenant": tenant}, headers=headers)


def cookie(token: str) -> dict[str, str]:
    return {"cookie": f"{SESSION_COOKIE}={token}"}


def test_a_session_opens_what_was_closed_and_its_token_is_kept_as_a_hash(site):
    client = site.client()
    assert client.get("/page").status_code == 401
    answer = attempt(client)
    assert answer.status_code == 200 and answer.json()["permissions"] == ["chat", "upload"]
    token = client.cookies[SESSION_COOKIE]
    assert client.get("/page").status_code == 200
    account, sign_in = site.stores.accounts.signed_in(token_hash(token), site.clock.now().isoformat())
    assert account.name == "kim" and sign_in.kind == "browser"
    assert token not in answer.text


def test_the_cookie_is_out_of_reach_of_scripts_and_of_plain_http(site):
    flags = attempt(site.client()).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"} <= set(flags.split("; ")) and "Secure" not in flags
    assert "Secure" in attempt(site.client("https://testserver")).headers["set-cookie"]


def test_names_are_read_without_case_and_tenants_are_apart(site):
    assert attempt(site.client(), name="KIM").json()["tenant"] == "home"
    assert attempt(site.client(), tenant="other").status_code == 401
    there = attempt(site.client(), tenant="other", password="another sentence altogether")
    assert there.json()["tenant"] == "other"
    site.stores.accounts.clear_failures(site.stores.accounts.find("other", "kim").id)


def test_nothing_tells_a_wrong_password_from_an_unknown_a_locked_or_a_disabled_account(tmp_path):
    site = make_site(tmp_path, lockout={"attempts": 3, "minutes": 10}, addresses={"attempts": 1000})
    site.add("kim")
    site.stores.accounts.update(site.add("gone").id, disabled=True)
    said = [attempt(site.client(), password=WRONG), attempt(site.client(), name="nobody"), attempt(site.client(), name="gone")]
    for _ in range(3):
        attempt(site.client(), password=WRONG)
    said.append(attempt(site.client()))  # the right password of a locked account
    assert {(answer.status_code, answer.text) for answer in said} == {(401, said[0].text)}
    assert not any(SESSION_COOKIE in answer.cookies for answer in said)
    assert [entry.details["why"] for entry in site.audited(action="account.sign_in_failed")] == [
        "wrong password", "unknown name", "disabled", "wrong password", "wrong password", "locked", "locked",
    ]  # fmt: skip
    assert "nobody" not in str(site.audited()), "what was typed as a name may be a password"


def test_an_unknown_name_costs_a_hash_like_a_known_one(site, monkeypatch):
    hasher, checked = site.access.sign_ins.passwords, []
    original = hasher.matches
    monkeypatch.setattr(hasher, "matches", lambda given, kept: checked.append(bool(kept)) or original(given, kept))
    attempt(site.client(), name="nobody")
    attempt(site.client())
    assert checked == [False, True]


def test_guessing_locks_the_account_and_time_opens_it_again(tmp_path):
    site = make_site(tmp_path, lockout={"attempts": 3, "minutes": 10})
    site.add("kim")
    open_before = site.signed_in("kim")
    for _ in range(3):
        assert attempt(site.client(), password=WRONG).status_code == 401
    assert attempt(site.client()).status_code == 401
    assert [entry.action for entry in site.audited(action="account.locked")] == ["account.locked"]
    assert open_before.get("/page").status_code == 200, "whoever is signed in works on: guessing must not lock people out of that"
    site.clock.advance(minutes=10, seconds=1)
    assert attempt(site.client()).status_code == 200


def test_a_burst_of_guesses_does_not_get_past_the_lockout(tmp_path):
    site = make_site(tmp_path, lockout={"attempts": 3, "minutes": 10})
    site.add("kim")
    threads = [threading.Thread(target=attempt, args=(site.client(),), kwargs={"password": f"{WRONG} {n}"}) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    why = [entry.details["why"] for entry in site.audited(action="account.sign_in_failed")]
    assert sorted(why) == ["locked"] * 5 + ["wrong password"] * 3


def test_an_address_that_fails_everywhere_has_to_wait_and_others_do_not(tmp_path):
    site = make_site(tmp_path, addresses={"attempts": 4, "minutes": 1})
    site.add("kim")
    for n in range(4):
        assert attempt(site.client(), name=f"name{n}").status_code == 401
    refused = attempt(site.client())
    assert refused.status_code == 429 and 0 < int(refused.headers["retry-after"]) <= 61
    elsewhere = TestClient(site.app, client=("10.0.0.9", 1))
    assert attempt(elsewhere).status_code == 200
    site.clock.advance(seconds=61)
    assert attempt(site.client()).status_code == 200


def test_a_session_ends_after_its_hours_and_when_nothing_was_sent(tmp_path):
    site = make_site(tmp_path, session_hours=12, idle_hours=4)
    site.add("kim")
    busy, idle = site.signed_in("kim"), site.signed_in("kim")
    for _ in range(3):
        site.clock.advance(hours=3.9)
        assert busy.get("/page").status_code == 200
    assert idle.get("/page").status_code == 401, "idle for 11.7 hours"
    site.clock.advance(hours=0.4)
    assert busy.get("/page").status_code == 401, "12.1 hours old"


def test_signing_in_anew_ends_the_session_that_the_browser_had(site):
    client = site.signed_in("kim")
    former = client.cookies[SESSION_COOKIE]
    attempt(client)
    assert client.cookies[SESSION_COOKIE] != former
    assert site.client().get("/page", headers=cookie(former)).status_code == 401


def test_signing_out_ends_the_session_for_good(site):
    client = site.signed_in("kim")
    token = client.cookies[SESSION_COOKIE]
    assert client.post("/api/auth/sign-out").json() == {"next": "/sign-in"}
    assert SESSION_COOKIE not in client.cookies
    assert site.client().get("/page", headers=cookie(token)).status_code == 401
    assert client.post("/api/auth/sign-out").status_code == 200, "safe twice"


def test_a_new_password_ends_every_session_but_the_one_it_opens(tmp_path):
    site = make_site(tmp_path)
    site.add("kim")
    here, elsewhere = site.signed_in("kim"), site.signed_in("kim")
    former = here.cookies[SESSION_COOKIE]
    new = "quite another sentence"
    wrong = here.post("/api/auth/password", json={"current": WRONG, "new": new})
    assert wrong.status_code == 422 and "current password" in wrong.json()["error"]
    for refused in ("short", PASSWORD, "kim kim kim kim"):
        assert here.post("/api/auth/password", json={"current": PASSWORD, "new": refused}).status_code == 422
    assert here.post("/api/auth/password", json={"current": PASSWORD, "new": new}).status_code == 200
    assert here.get("/page").status_code == 200 and here.cookies[SESSION_COOKIE] != former
    assert elsewhere.get("/page").status_code == 401
    assert attempt(site.client()).status_code == 401 and attempt(site.client(), password=new).status_code == 200


def test_a_one_time_password_opens_nothing_but_the_way_to_a_new_one(tmp_path):
    site = make_site(tmp_path, first_accounts=[{"name": "admin", "role": "administrator"}])
    [admin] = site.access.created
    assert admin.one_time_password not in repr(site.access.created)
    client = site.signed_in("admin", password=admin.one_time_password)
    me = client.get("/api/auth/me").json()
    assert me["must_change_password"] and me["permissions"] == []
    assert client.get("/api/users").status_code == 403 and client.get("/api/auth/keys").status_code == 403
    assert client.get("/page", headers={"accept": "text/html"}).headers["location"] == "/sign-in?next=/page"
    changed = client.post("/api/auth/password", json={"current": admin.one_time_password, "new": PASSWORD})
    assert "people.manage" in changed.json()["permissions"]
    assert client.get("/api/users").status_code == 200
    assert attempt(site.client(), name="admin", password=admin.one_time_password).status_code == 401
    assert admin.one_time_password not in str(site.audited())


def test_the_first_accounts_are_made_once(tmp_path):
    assert len(make_site(tmp_path).access.created) == 1
    assert make_site(tmp_path).access.created == ()


def test_hashes_follow_the_settings_at_the_next_sign_in(tmp_path):
    site = make_site(tmp_path)
    site.add("kim")
    before = site.stores.accounts.credentials("home", "kim").password_hash
    later = make_site(tmp_path, hashing=LEAST_HASHING | {"passes": 3})
    later.signed_in("kim")
    after = later.stores.accounts.credentials("home", "kim").password_hash
    assert "t=2" in before and "t=3" in after
    later.signed_in("kim")


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"origin": "http://testserver"}, True),
        ({}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://testserver"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "http://testserver.evil.example"}, False),
        ({"origin": "http://testserver:81"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://["}, False),
    ],
)
def test_another_site_cannot_write_with_a_browsers_session(site, headers, passes):
    client = site.client()
    attempt(client)
    answer = client.post("/api/auth/keys", json={"name": "x", "days": 1}, headers=headers)
    assert answer.status_code == (201 if passes else 403), answer.text
    assert client.get("/api/auth/me", headers=headers).status_code == 200, "reading is not writing"
    assert attempt(site.client(), headers=headers).status_code == (200 if passes else 403), "nor may it sign a browser in"
    for key in client.get("/api/auth/keys").json()["items"]:
        client.delete(f"/api/auth/keys/{key['id']}", headers=OWN)


def test_a_key_opens_the_api_until_it_is_revoked_and_manages_nothing(site):
    client = site.signed_in("kim")
    made = client.post("/api/auth/keys", json={"name": "reports", "days": 30}).json()
    assert made["secret"].startswith("lf-")
    listed = client.get("/api/auth/keys").json()
    assert listed["total"] == 1 and "secret" not in listed["items"][0] and listed["items"][0]["used_at"] == ""
    program = site.client()
    program.headers["authorization"] = f"Bearer {made['secret']}"
    assert program.get("/api/auth/me").json()["name"] == "kim"
    assert program.post("/api/auth/sign-out").status_code == 200
    assert client.get("/api/auth/keys").json()["items"][0]["used_at"] != ""
    assert program.post("/api/auth/keys", json={"name": "more"}).status_code == 403
    assert program.post("/api/auth/password", json={"current": PASSWORD, "new": "quite another sentence"}).status_code == 403
    assert client.delete(f"/api/auth/keys/{made['id']}").status_code == 204
    assert program.get("/api/auth/me").status_code == 401
    assert client.delete(f"/api/auth/keys/{made['id']}").status_code == 404
    assert made["secret"] not in str(site.audited())


@pytest.mark.parametrize("header", ["Bearer lf-unknown", "Bearer ", "Bearer x", "bearer lf-", "Bearer lf-\xff"])
def test_what_is_no_key_opens_nothing(site, header):
    assert site.client().get("/api/auth/me", headers={"authorization": header.encode("latin-1")}).status_code == 401


def test_a_session_is_no_key_and_a_key_no_session(site):
    client = site.signed_in("kim")
    key = client.post("/api/auth/keys", json={"name": "x"}).json()
    session = client.cookies[SESSION_COOKIE]
    assert site.client().get("/page", headers={"authorization": f"Bearer {session}"}).status_code == 401
    assert site.client().get("/page", headers=cookie(key["secret"])).status_code == 401
    client.delete(f"/api/auth/keys/{key['id']}")


def test_somebody_elses_key_is_one_that_is_not_there(site):
    site.add("lee")
    mine, theirs = site.signed_in("kim"), site.signed_in("lee")
    key = mine.post("/api/auth/keys", json={"name": "x"}).json()
    assert theirs.delete(f"/api/auth/keys/{key['id']}").json() == theirs.delete("/api/auth/keys/none").json()
    assert [one["id"] for one in mine.get("/api/auth/keys").json()["items"]] == [key["id"]]
    mine.delete(f"/api/auth/keys/{key['id']}")


def test_keys_end_by_their_date_and_are_not_without_number(tmp_path):
    site = make_site(tmp_path, keys_per_account=2)
    kim = site.add("kim")
    _, secret = site.access.sign_ins.make_key(kim, "short", 1)
    _, forever = site.access.sign_ins.make_key(kim, "long", None)
    assert site.signed_in("kim").post("/api/auth/keys", json={"name": "third"}).status_code == 422
    site.clock.advance(days=1, seconds=1)
    assert site.client().get("/page", headers={"authorization": f"Bearer {secret}"}).status_code == 401
    assert site.client().get("/page", headers={"authorization": f"Bearer {forever}"}).status_code == 200


def test_a_disabled_account_is_out_at_once_with_all_it_had(site):
    lee = site.stores.accounts.find("home", "park") or site.add("park")
    client = site.signed_in("park")
    _, secret = site.access.sign_ins.make_key(lee, "x", None)
    site.stores.accounts.update(lee.id, disabled=True)
    assert client.get("/page").status_code == 401
    assert site.client().get("/page", headers={"authorization": f"Bearer {secret}"}).status_code == 401


def test_web_sockets_ask_for_a_session_and_for_the_own_origin(tmp_path):
    site = make_site(tmp_path)
    site.add("kim")

    @site.app.websocket("/ws/hello")
    async def hello(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    client = site.signed_in("kim")
    client.headers.pop("sec-fetch-site")
    with client.websocket_connect("/ws/hello", headers={"origin": "http://testserver"}) as socket:
        assert socket.receive_text() == "hello"
    for browser, headers, code in ((client, {"origin": "http://evil.example"}, 4403), (site.client(), {}, 4401)):
        with pytest.raises(WebSocketDisconnect) as closed, browser.websocket_connect("/ws/hello", headers=headers):
            pass
        assert closed.value.code == code


def test_an_open_path_reads_no_endless_body(site):
    assert site.client().post("/api/auth/sign-in", content=b"x" * 70_000, headers=OWN).status_code == 413


def test_single_user_mode_says_what_it_is_and_serves_this_machine_only(tmp_path):
    site = make_site(tmp_path, mode="single", single={"name": "me", "groups": ["hr"]})
    client = site.client("http://127.0.0.1:7860")
    me = client.get("/api/auth/me").json()
    assert (me["mode"], me["role"], me["groups"]) == ("single", "administrator", ["hr"]) and "no sign-in" in me["notice"]
    assert client.get("/page").status_code == 200
    assert "Single-user mode" in client.get("/sign-in?lang=en").text
    assert site.client("http://rebound.example:7860").get("/page").status_code == 403, "a name that was pointed at this machine"
    foreign = client.post("/api/auth/keys", json={"name": "x"}, headers={"origin": "http://evil.example"})
    assert foreign.status_code == 403, "another site's page"
    again = make_site(tmp_path, mode="single", single={"name": "me", "groups": ["it"]})
    account = again.client("http://localhost").get("/api/auth/me").json()
    assert (account["id"], account["groups"]) == (me["id"], ["it"])
    assert AuthSettings(mode="single").asks_for_passwords is False
