"""Sign-in at a real OpenID provider (npm: oidc-provider), from the button to the session, and ways that must not end in one."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from auth_site import OWN, AuthSite, make_site
from running import free_port
from server_processes import unavailable

from llmflow.accounts.settings import OidcSettings
from llmflow.adapters.openid_provider import OpenIdProvider
from llmflow.errors import SignInRequired, StoreUnavailable
from llmflow.serving.people.auth import SESSION_COOKIE
from llmflow.serving.people.oidc import unpack
from llmflow.serving.routers.sign_in_page import CALLBACK

pytestmark = [pytest.mark.services, pytest.mark.xdist_group("openid")]

PACKAGE = Path(__file__).parent / "oidc_provider"
SECRET = "a-secret-of-this-test"
CLAIMS = {"tenant": "home", "roles": {"llmflow-engineers": "engineer"}}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    """The folder of the provider with its packages: those that `make test-services` installed, else installed here."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        unavailable("there is no Node to run an OpenID provider with: apt-get install nodejs npm")
    if (PACKAGE / "node_modules" / "oidc-provider").is_dir():
        return PACKAGE
    folder = tmp_path_factory.mktemp("oidc") / "provider"
    shutil.copytree(PACKAGE, folder)
    command = ["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        unavailable(f"the OpenID provider's packages cannot be installed: {done.stderr.strip()[-300:]}")
    return folder


@pytest.fixture(scope="module")
def ours() -> int:
    """The port that our own address names."""
    return free_port()


@pytest.fixture(scope="module")
def issuer(package, ours) -> Iterator[str]:
    port, base = free_port(), f"http://127.0.0.1:{ours}"
    process = subprocess.Popen(
        ["node", "server.mjs", str(port), base + CALLBACK, base + "/sign-in"], cwd=package, text=True,
        env=os.environ | {"NODE_ENV": "test"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    too_late = threading.Timer(60, process.kill)
    too_late.start()
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("ready"):
            break
    too_late.cancel()
    assert said and said[-1].startswith("ready"), "".join(said)
    drain = threading.Thread(target=process.stdout.read, daemon=True)
    drain.start()
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(30)
    drain.join()
    process.stdout.close()


def settings_of(issuer: str, client_id: str = "chat", **more) -> OidcSettings:
    return OidcSettings.model_validate({"issuer": issuer, "client_id": client_id, "claims": CLAIMS} | more)


def site_of(folder: Path, issuer: str, ours: int, secret: str = SECRET, **oidc) -> AuthSite:
    known = settings_of(issuer, **oidc)
    public = f"http://127.0.0.1:{ours}"
    site = make_site(folder, OpenIdProvider(known, secret), mode="oidc", oidc=known.model_dump(), public_url=public)
    assert bool(site.access.created) == known.local_accounts
    return site


@pytest.fixture(scope="module")
def site(tmp_path_factory, issuer, ours) -> AuthSite:
    return site_of(tmp_path_factory.mktemp("site"), issuer, ours)


def at_provider(address: str, login: str, callback: str) -> str:
    """Sign in at the provider as a browser does, and return the address that it sends the browser back to."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
    with httpx.Client(follow_redirects=False, base_url=origin) as browser:
        answer = browser.get(address)
        while True:
            if answer.status_code == 200:
                answer = browser.post(str(answer.url), data={"login": login})
                continue
            assert answer.status_code in (302, 303), answer.text
            if answer.headers["location"].startswith(callback):
                return answer.headers["location"]
            answer = browser.get(answer.headers["location"])


def begun(site: AuthSite, ours: int, wanted: str = "/page?a=1", login: str = "kim"):
    """Return a browser that comes back from the provider, and the address that it comes back to."""
    client = site.client(f"http://127.0.0.1:{ours}")
    start = client.get("/api/auth/oidc/start", params={"next": wanted})
    assert start.status_code == 303
    return client, at_provider(start.headers["location"], login, f"http://127.0.0.1:{ours}{CALLBACK}")


def attempt_of(client, back: str):
    """Return the attempt that the browser's cookie holds, with the cookie's name."""
    [state] = parse_qs(urlsplit(back).query)["state"]
    [(name, packed)] = [(n, v) for n, v in client.cookies.items() if n.startswith("llmflow_oidc_")]
    return name, unpack(packed, state)


def test_the_whole_way_from_the_button_to_the_session(site, ours, issuer):
    client, back = begun(site, ours)
    asked = client.get("/sign-in", headers={"accept-language": "en"}).text
    assert 'href="/api/auth/oidc/start' in asked and 'name="password"' not in asked
    done = client.get(back)
    assert (done.status_code, done.headers["location"]) == (303, "/page?a=1")
    me = client.get("/api/auth/me").json()
    assert (me["name"], me["display_name"], me["tenant"], me["role"]) == ("kim", "김민준", "home", "engineer")
    assert me["groups"] == ["hr", "llmflow-engineers"] and not me["has_password"]
    assert not [name for name in client.cookies if name.startswith("llmflow_oidc_")], "the attempt is used up"
    account = site.stores.accounts.account(me["id"])
    assert (account.issuer, account.subject) == (issuer, "kim")
    created = site.audited(action="account.created")[0]
    assert created.details["left_out"] == ["*", "user:somebody-else"]
    assert (
        client.post("/api/auth/password", json={"current": "", "new": "four words nobody joins"}, headers=OWN).status_code == 422
    )


def test_pkce_state_and_nonce_are_sent(site, ours):
    client = site.client(f"http://127.0.0.1:{ours}")
    query = parse_qs(urlsplit(client.get("/api/auth/oidc/start").headers["location"]).query)
    assert query["code_challenge_method"] == ["S256"] and query["response_type"] == ["code"]
    assert len(query["code_challenge"][0]) == 43 and len(query["state"][0]) == len(query["nonce"][0]) == 43


def test_groups_of_the_claims_replace_local_ones_and_the_account_stays(site, ours):
    client, back = begun(site, ours, login="lee")
    client.get(back)
    me = client.get("/api/auth/me").json()
    site.stores.accounts.update(me["id"], groups=("finance",), role="administrator")
    client, back = begun(site, ours, login="lee")
    client.get(back)
    again = client.get("/api/auth/me").json()
    assert (again["id"], again["groups"], again["role"]) == (me["id"], ["it"], "user")


def test_a_disabled_account_stays_out(site, ours):
    client, back = begun(site, ours, login="lee")
    client.get(back)
    account_id = client.get("/api/auth/me").json()["id"]
    site.stores.accounts.update(account_id, disabled=True)
    client, back = begun(site, ours, login="lee")
    assert client.get(back).status_code == 401 and SESSION_COOKIE not in client.cookies
    site.stores.accounts.update(account_id, disabled=False)


def test_a_local_account_of_the_name_is_never_taken_over(tmp_path, issuer, ours):
    site = site_of(tmp_path, issuer, ours, local_accounts=True)
    local = site.add("kim", role="administrator")
    client, back = begun(site, ours)
    client.get(back)
    me = client.get("/api/auth/me").json()
    assert me["id"] != local.id and me["role"] == "engineer" and me["name"].startswith("kim-")
    assert site.signed_in("kim").get("/api/auth/me").json()["id"] == local.id


def refused(site, client, back) -> None:
    answer = client.get(back)
    assert answer.status_code == 401 and SESSION_COOKIE not in client.cookies
    assert "llmflow_session" not in answer.headers.get("set-cookie", "")


def test_a_code_opens_one_session(site, ours):
    client, back = begun(site, ours)
    kept = dict(client.cookies)
    assert client.get(back).status_code == 303
    thief = site.client(f"http://127.0.0.1:{ours}")
    thief.cookies.update({name: value for name, value in kept.items() if name.startswith("llmflow_oidc_")})
    refused(site, thief, back)


def test_another_browser_cannot_finish_what_one_began(site, ours):
    _, back = begun(site, ours)
    refused(site, site.client(f"http://127.0.0.1:{ours}"), back)


@pytest.mark.parametrize("part", ["nonce", "verifier", "state"])
def test_what_the_browser_remembers_has_to_fit(site, ours, part):
    client, back = begun(site, ours)
    name, attempt = attempt_of(client, back)
    forged = replace(attempt, **{part: "x" * 43})
    client.cookies.clear()
    client.cookies.set(name, forged.packed())
    refused(site, client, back)


@pytest.mark.parametrize(
    ("key", "value"), [("state", "x" * 43), ("code", "x" * 43), ("iss", "https://evil.example"), ("iss", None)]
)
def test_what_comes_back_has_to_fit(site, ours, key, value):
    client, back = begun(site, ours)
    query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()} | {key: value}
    answer = client.get(CALLBACK, params={name: text for name, text in query.items() if text is not None})
    assert answer.status_code == 401 and SESSION_COOKIE not in client.cookies


def test_whom_the_provider_does_not_know_is_told_so_on_our_page(site, ours):
    client, back = begun(site, ours, login="nobody")
    assert "error=access_denied" in back
    refused(site, client, back)


def redeemed(issuer: str, ours: int, client_id: str, secret: str, **more):
    """Return a provider's client and the id token and nonce of one sign-in through it."""
    provider = OpenIdProvider(settings_of(issuer, client_id, **more), secret)
    callback = f"http://127.0.0.1:{ours}{CALLBACK}"
    back = at_provider(provider.authorization_url(callback, "s" * 43, "n" * 43, "v" * 43), "kim", callback)
    query = parse_qs(urlsplit(back).query)
    return provider, provider.redeem(query["code"][0], callback, "n" * 43, "v" * 43, query["iss"][0])


def test_a_token_for_another_audience_is_refused(issuer, ours):
    public, passed = redeemed(issuer, ours, "public-chat", "")  # a public client, without a secret
    assert public.check_id_token(passed.id_token, "n" * 43)["sub"] == "kim"
    with pytest.raises(SignInRequired):
        OpenIdProvider(settings_of(issuer), SECRET).check_id_token(passed.id_token, "n" * 43)
    with pytest.raises(SignInRequired):
        public.check_id_token(passed.id_token, "m" * 43)
    head, body, signature = passed.id_token.split(".")
    with pytest.raises(SignInRequired):
        public.check_id_token(f"{head}.{body}.{signature[:-4]}AAAA", "n" * 43)


def test_a_token_that_has_ended_is_refused(issuer, ours):
    provider, passed = redeemed(issuer, ours, "brief", SECRET, clock_skew_s=5)
    strict = OpenIdProvider(settings_of(issuer, "brief", clock_skew_s=0), SECRET)
    while time.time() <= passed.claims["exp"]:
        time.sleep(0.1)
    assert provider.check_id_token(passed.id_token, "n" * 43)["sub"] == "kim", "within the clock's tolerance"
    with pytest.raises(SignInRequired):
        strict.check_id_token(passed.id_token, "n" * 43)


def test_signing_out_ends_the_session_at_the_provider_too(site, ours, issuer):
    client, back = begun(site, ours)
    client.get(back)
    lead = client.post("/api/auth/sign-out", headers=OWN).json()["next"]
    query = parse_qs(urlsplit(lead).query)
    assert lead.startswith(f"{issuer}/session/end?") and query["post_logout_redirect_uri"] == [f"http://127.0.0.1:{ours}/sign-in"]
    page = httpx.get(lead)
    assert page.status_code == 200 and "logout" in page.text.lower(), "the provider accepts hint and address, and asks"
    assert client.get("/page").status_code == 401


def test_claims_may_come_from_userinfo(tmp_path, issuer, ours):
    site = site_of(tmp_path, issuer, ours, userinfo=True)
    client, back = begun(site, ours)
    assert client.get(back).status_code == 303
    assert client.get("/api/auth/me").json()["groups"] == ["hr", "llmflow-engineers"]


def test_a_provider_that_is_away_or_another_is_told(tmp_path, issuer, ours):
    site = site_of(tmp_path, f"http://127.0.0.1:{free_port()}", ours)
    answer = site.client().get("/api/auth/oidc/start", headers={"accept-language": "en"})
    assert answer.status_code == 503 and "cannot be reached" in answer.text
    with pytest.raises(StoreUnavailable, match="calls itself"):
        OpenIdProvider(settings_of(issuer + "/"), SECRET).authorization_url("http://127.0.0.1/x", "s", "n", "v" * 43)


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium")
def test_a_browser_signs_in_and_out(site, ours, issuer):
    from playwright.sync_api import expect, sync_playwright

    started = threading.Event()
    server = uvicorn.Server(uvicorn.Config(site.app, host="127.0.0.1", port=ours, log_level="error"))
    startup = server.startup

    async def announce(sockets=None):
        await startup(sockets)
        started.set()

    server.startup = announce
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(30)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(locale="en-US")
            page.goto(f"http://127.0.0.1:{ours}/page")
            page.get_by_role("link", name="Sign in with").click()
            page.get_by_label("Login").fill("kim")
            page.get_by_role("button").click()
            page.wait_for_url(f"http://127.0.0.1:{ours}/page")
            page.goto(f"http://127.0.0.1:{ours}/sign-in")
            expect(page.locator("p", has_text="김민준")).to_be_visible()
            page.get_by_role("button", name="Sign out").click()
            page.wait_for_url(f"{issuer}/session/end**")
            page.get_by_role("button", name="Yes").click()
            page.wait_for_url(f"http://127.0.0.1:{ours}/sign-in**")
            page.goto(f"http://127.0.0.1:{ours}/page")
            assert urlsplit(page.url).path == "/sign-in"
            browser.close()
    finally:
        server.should_exit = True
        thread.join(30)
