"""The sign-in page as a browser without scripts uses it: forms, redirects, words, and where it never leads."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from auth_site import OWN, PASSWORD, make_site
from hypothesis import given
from hypothesis import strategies as st

from llmflow.serving.pages.words import ENGLISH, KOREAN
from llmflow.serving.people.auth import SESSION_COOKIE
from llmflow.serving.web.origins import local_path


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = make_site(tmp_path_factory.mktemp("page"), lockout={"attempts": 3, "minutes": 10})
    made.add("kim", shown="<b>Kim</b>")
    return made


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields, self.labels, self.tags, self.addresses = {}, set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append((tag, values))
        if tag == "input":
            self.fields[values["name"]] = values.get("value", "")
        if tag == "label":
            self.labels.add(values["for"])
        self.addresses += [values[name] for name in ("href", "src", "action") if name in values]


def sign_in(client, page="/sign-in", headers=OWN, **given):
    form = _Page(client.get(page).text).fields
    return client.post("/sign-in", data=form | {"name": "kim", "password": PASSWORD} | given, headers=headers)


def test_the_form_signs_in_and_leads_back_to_where_one_was_going(site):
    client = site.client()
    away = client.get("/page?a=1&b=한", headers={"accept": "text/html", "sec-fetch-mode": "navigate"})
    assert away.status_code == 303
    answer = sign_in(client, away.headers["location"])
    assert answer.status_code == 303 and answer.headers["location"] == "/page?a=1&b=%ED%95%9C"
    assert client.get("/page").status_code == 200
    assert "HttpOnly" in answer.headers["set-cookie"]


def test_a_wrong_and_a_locked_password_read_the_same(site):
    site.add("lee")
    first = sign_in(site.client(), "/sign-in?lang=en", name="lee", password="wrong")
    for _ in range(2):
        sign_in(site.client(), name="lee", password="wrong")
    locked = sign_in(site.client(), "/sign-in?lang=en", name="lee")
    assert first.status_code == locked.status_code == 401
    strip = lambda text: [line for line in text.splitlines() if "nonce" not in line]  # noqa: E731
    assert strip(first.text) == strip(locked.text) and ENGLISH.wrong in first.text
    assert SESSION_COOKIE not in locked.cookies


def test_the_page_speaks_the_browsers_language_and_a_chosen_one(site):
    client = site.client()
    assert f"<h1>{KOREAN.heading}</h1>" in client.get("/sign-in", headers={"accept-language": "ko-KR,ko;q=0.9,en;q=0.8"}).text
    assert '<html lang="en">' in client.get("/sign-in", headers={"accept-language": "en-GB,ko;q=0.5"}).text
    assert '<html lang="ko">' in client.get("/sign-in", headers={"accept-language": "fr"}).text
    assert '<html lang="ko">' in client.get("/sign-in?lang=ko", headers={"accept-language": "en"}).text


def test_every_field_has_a_label_and_nothing_comes_from_elsewhere(site):
    answer = site.client().get("/sign-in?next=/x&lang=en")
    page = _Page(answer.text)
    shown = {values["id"] for tag, values in page.tags if tag == "input" and values.get("type") != "hidden"}
    assert shown == page.labels == {"tenant", "name", "password"}
    assert not any(tag in ("script", "link", "img", "iframe") for tag, _ in page.tags)
    assert all(urlsplit(address).netloc == "" for address in page.addresses)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert f'nonce="{policy.split("nonce-")[1].split(chr(39))[0]}"' in answer.text


def test_what_people_typed_is_text_and_never_markup(site):
    hostile = '"><script>alert(1)</script>'
    client = site.client()
    answer = sign_in(client, f"/sign-in?next=/{hostile}", name=hostile, tenant=hostile)
    assert answer.status_code == 401 and "<script" not in answer.text
    sign_in(client)
    assert "<b>Kim</b>" not in client.get("/sign-in").text and "&lt;b&gt;Kim" in client.get("/sign-in").text


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example",
        "javascript:alert(1)", "http:evil.example", "evil.example", "", "/sign-in", "/sign-out?x=1", " /x", "/\r\nSet-Cookie: a=b"
    ],
)  # fmt: skip
def test_signing_in_never_leads_to_another_site(site, wanted):
    client = site.client()
    answer = client.post("/sign-in", data={"name": "kim", "password": PASSWORD, "tenant": "home", "next": wanted}, headers=OWN)
    assert answer.status_code == 303 and answer.headers["location"] == "/"


@given(st.text(alphabet=st.sampled_from("/\\:.?#@%\t\n\r evilEx0aAZ\u2028\x00"), max_size=30))
def test_no_text_becomes_an_address_of_another_site(text):
    path = local_path(text)
    assert path.startswith("/") and not path.startswith(("//", "/\\"))
    assert not any(ord(character) <= 32 or character == "\\" for character in path)


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {"origin": "null"}])
def test_another_sites_form_signs_nobody_in_or_out(site, headers):
    client = site.client()
    refused = client.post("/sign-in", data={"name": "kim", "password": PASSWORD, "tenant": "home"}, headers=headers)
    assert refused.status_code == 403 and SESSION_COOKIE not in refused.cookies
    sign_in(client)
    assert client.post("/sign-out", headers=headers).status_code == 403
    assert client.get("/page").status_code == 200


def test_who_is_signed_in_sees_who_and_may_leave(site):
    client = site.client()
    sign_in(client)
    page = client.get("/sign-in?lang=en&next=/page").text
    assert ENGLISH.signed_in_heading in page and 'href="/page"' in page
    out = client.post("/sign-out", headers=OWN)
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert client.get("/page").status_code == 401


def test_a_one_time_password_leads_over_the_choice_of_a_new_one(tmp_path):
    site = make_site(tmp_path, tenants=())
    account, given_once = site.access.people.create("home", "test", "kim")
    client = site.client()
    answer = sign_in(client, "/sign-in?next=/page&lang=en", password=given_once)
    lead = answer.headers["location"]
    page = client.get(lead)
    assert ENGLISH.change_heading in page.text and ENGLISH.forced in page.text
    form = _Page(page.text).fields
    assert "current" not in form and form["next"] == "/page"
    for new, again, said in (
        ("quite another sentence", "quite another sentance", ENGLISH.differ),
        ("short", "short", ENGLISH.too_short.format(n=12)),
        ("passwordpassword", "passwordpassword", ENGLISH.guessable),
        (given_once, given_once, ENGLISH.not_changed),
    ):
        refused = client.post("/sign-in/password", data=form | {"new": new, "again": again}, headers=OWN)
        assert refused.status_code == 422 and said in refused.text
    done = client.post("/sign-in/password", data=form | {"new": PASSWORD, "again": PASSWORD}, headers=OWN)
    assert (done.status_code, done.headers["location"]) == (303, "/page")
    assert client.get("/page").status_code == 200
    assert not site.stores.accounts.account(account.id).must_change_password
    later = client.get("/sign-in?change=1&lang=en")
    assert "current" in _Page(later.text).fields
    form = _Page(later.text).fields | {"new": "one more sentence here", "again": "one more sentence here"}
    wrong = client.post("/sign-in/password", data=form | {"current": "wrong"}, headers=OWN)
    assert wrong.status_code == 422 and ENGLISH.not_changed in wrong.text
    assert client.post("/sign-in/password", data=form | {"current": PASSWORD}, headers=OWN).status_code == 303


def test_too_many_failures_say_when_to_come_back(tmp_path):
    site = make_site(tmp_path, addresses={"attempts": 1, "minutes": 1})
    sign_in(site.client(), password="wrong")
    answer = sign_in(site.client(), "/sign-in?lang=en")
    assert answer.status_code == 429 and answer.headers["retry-after"] in answer.text
