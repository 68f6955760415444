"""People and groups over HTTP: what an administrator does in the own tenant, and what no one does anywhere."""

import pytest
from auth_site import PASSWORD, make_site


@pytest.fixture
def site(tmp_path):
    made = make_site(tmp_path)
    made.add("boss", role="administrator")
    made.add("kim", groups=("hr",))
    made.add("boss", tenant="other", role="administrator")
    made.add("lee", tenant="other", groups=("secret",))
    return made


@pytest.fixture
def boss(site):
    return site.signed_in("boss")


def id_of(site, name, tenant="home"):
    return site.stores.accounts.find(tenant, name).id


def test_a_new_user_gets_a_one_time_password_and_appears(site, boss):
    made = boss.post("/api/users", json={"name": "Park", "display_name": "박 ", "role": "engineer", "groups": ["hr"]})
    assert made.status_code == 201
    user = made.json()
    assert (user["name"], user["display_name"], user["role"], user["groups"]) == ("Park", "박", "engineer", ["hr"])
    assert user["must_change_password"] and user["tenant"] == "home"
    client = site.signed_in("park", password=user["one_time_password"])
    assert client.get("/api/auth/me").json()["permissions"] == []
    listed = boss.get("/api/users", params={"search": "park"}).json()
    assert listed["total"] == 1 and "one_time_password" not in listed["items"][0]
    assert boss.get(f"/api/users/{user['id']}").json()["name"] == "Park"
    assert user["one_time_password"] not in str(site.audited())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "KIM"}, 409),
        ({"name": "a b"}, 422),
        ({"name": ""}, 422),
        ({"name": "new", "groups": ["hrr"]}, 422),
        ({"name": "new", "groups": ["user:1"]}, 422),
        ({"name": "new", "groups": ["*"]}, 422),
        ({"name": "new", "role": "root"}, 422),
        ({"name": "new", "tenant": "other"}, 422),
    ],
)
def test_users_that_cannot_be(boss, body, status):
    answer = boss.post("/api/users", json=body)
    assert answer.status_code == status and {"error", "allowed", "next"} <= set(answer.json())


def test_users_come_in_pages(site, boss):
    names = [boss.get("/api/users", params={"limit": 1, "offset": n}).json()["items"][0]["name"] for n in range(3)]
    assert names == ["boss", "first", "kim"]
    assert boss.get("/api/users", params={"limit": 1, "offset": 3}).json() == {"items": [], "total": 3}


def test_a_change_holds_from_the_next_request_on(site, boss):
    kim = site.signed_in("kim")
    assert kim.get("/api/users").status_code == 403
    changed = boss.patch(f"/api/users/{id_of(site, 'kim')}", json={"role": "administrator", "groups": []})
    assert changed.json()["role"] == "administrator" and changed.json()["groups"] == []
    assert kim.get("/api/users").status_code == 200
    boss.patch(f"/api/users/{id_of(site, 'kim')}", json={"disabled": True})
    assert kim.get("/api/users").status_code == 401
    boss.patch(f"/api/users/{id_of(site, 'kim')}", json={"disabled": False, "role": "user"})
    assert site.signed_in("kim").get("/api/users").status_code == 403
    last = site.audited(action="account.updated")[0]
    assert last.details == {"role": {"from": "user", "to": "administrator"}, "groups": {"from": ["hr"], "to": []}}
    assert last.actor == id_of(site, "boss") and last.target == id_of(site, "kim")


def test_a_reset_gives_a_new_one_time_password_and_ends_sessions(site, boss):
    kim = site.signed_in("kim")
    given = boss.post(f"/api/users/{id_of(site, 'kim')}/password-reset").json()["one_time_password"]
    assert kim.get("/api/auth/me").status_code == 401
    assert site.signed_in("kim", password=given).get("/api/auth/me").json()["must_change_password"]
    assert given not in str(site.audited())


def test_another_tenant_does_not_exist_for_an_administrator(site, boss):
    lee, boss_there = id_of(site, "lee", "other"), id_of(site, "boss", "other")
    for target in (lee, boss_there):
        for method, path, body in (
            ("GET", f"/api/users/{target}", None),
            ("PATCH", f"/api/users/{target}", {"disabled": True}),
            ("DELETE", f"/api/users/{target}", None),
            ("POST", f"/api/users/{target}/password-reset", None),
        ):
            there = boss.request(method, path, json=body)
            gone = boss.request(method, path.replace(target, "0" * 32), json=body)
            assert there.status_code == gone.status_code == 404 and there.json() == gone.json()
    assert {user["tenant"] for user in boss.get("/api/users").json()["items"]} == {"home"}
    assert [group["name"] for group in boss.get("/api/groups").json()["items"]] == ["hr"]
    assert boss.delete("/api/groups/secret").status_code == 404
    assert boss.post("/api/users", json={"name": "new", "groups": ["secret"]}).status_code == 422
    account = site.stores.accounts.account(lee)
    assert not account.disabled and account.groups == ("secret",)
    assert all(entry.actor != id_of(site, "boss") for entry in site.audited("other"))


def test_the_last_administrator_stays(site, boss):
    mine = id_of(site, "boss")
    for change in ({"role": "user"}, {"role": "engineer"}, {"disabled": True}):
        refused = boss.patch(f"/api/users/{mine}", json=change)
        assert refused.status_code == 422 and "only administrator" in refused.json()["error"]
    assert boss.delete(f"/api/users/{mine}").status_code == 422
    boss.patch(f"/api/users/{id_of(site, 'kim')}", json={"role": "administrator"})
    assert boss.patch(f"/api/users/{mine}", json={"role": "user"}).status_code == 200
    assert site.signed_in("kim").delete(f"/api/users/{id_of(site, 'kim')}").status_code == 422


def test_a_disabled_administrator_is_none(site, boss):
    boss.patch(f"/api/users/{id_of(site, 'kim')}", json={"role": "administrator", "disabled": True})
    assert boss.delete(f"/api/users/{id_of(site, 'boss')}").status_code == 422


def test_deleting_reaches_what_the_account_left_and_can_be_finished(tmp_path):
    left, fails = [], [True]

    def erase(account):
        left.append(account.name)
        if fails:
            fails.clear()
            raise RuntimeError("the disk is full")
        return {"documents": 2}

    site = make_site(tmp_path, erase=(erase,))
    site.add("boss", role="administrator")
    kim = site.add("kim")
    boss, browser = site.signed_in("boss"), site.signed_in("kim")
    _, secret = site.access.sign_ins.make_key(kim, "x", None)
    assert boss.delete(f"/api/users/{kim.id}").status_code == 500
    assert browser.get("/page").status_code == 401, "what is being deleted is disabled first"
    assert boss.delete(f"/api/users/{kim.id}").json() == {"removed": {"documents": 2}}
    assert left == ["kim", "kim"] and site.stores.accounts.account(kim.id) is None
    assert site.client().get("/page", headers={"authorization": f"Bearer {secret}"}).status_code == 401
    assert boss.delete(f"/api/users/{kim.id}").status_code == 404
    assert site.audited(action="account.deleted")[0].details == {"name": "kim", "documents": 2}


def test_groups_are_made_counted_and_taken_away(site, boss):
    assert boss.post("/api/groups", json={"name": " 인사 팀 "}).json() == {"name": "인사 팀", "members": 0}
    assert boss.post("/api/groups", json={"name": "인사 팀"}).status_code == 409
    for wrong in ("user:1", "*", "", "a\nb"):
        assert boss.post("/api/groups", json={"name": wrong}).status_code == 422
    boss.patch(f"/api/users/{id_of(site, 'kim')}", json={"groups": ["인사 팀", "hr"]})
    assert boss.get("/api/groups").json() == {
        "items": [{"name": "hr", "members": 1}, {"name": "인사 팀", "members": 1}], "total": 2,
    }  # fmt: skip
    assert boss.delete("/api/groups/인사 팀").status_code == 204
    assert site.stores.accounts.find("home", "kim").groups == ("hr",)
    assert boss.delete("/api/groups/인사 팀").status_code == 404
    assert [entry.action for entry in site.audited(action="group")] == ["group.created", "group.deleted"]


def test_a_group_with_a_slash_can_be_deleted(site, boss):
    boss.post("/api/groups", json={"name": "hq/hr"})
    assert boss.delete("/api/groups/hq/hr").status_code == 204


@pytest.mark.parametrize("who", ["kim", "engineer", "nobody"])
def test_people_are_for_administrators(site, who):
    if who == "engineer":
        site.add("engineer", role="engineer")
    client = site.client() if who == "nobody" else site.signed_in(who)
    kim = id_of(site, "kim")
    for method, path, body in (
        ("GET", "/api/users", None), ("POST", "/api/users", {"name": "new"}), ("GET", f"/api/users/{kim}", None),
        ("PATCH", f"/api/users/{kim}", {"role": "administrator"}), ("DELETE", f"/api/users/{kim}", None),
        ("POST", f"/api/users/{kim}/password-reset", None), ("GET", "/api/groups", None), ("POST", "/api/groups", {"name": "x"}),
        ("DELETE", "/api/groups/hr", None),
    ):  # fmt: skip
        assert client.request(method, path, json=body).status_code == (401 if who == "nobody" else 403)
    assert site.stores.accounts.account(kim).role == "user"
    assert site.signed_in("kim", password=PASSWORD)
