"""Id tokens that a provider might be imitated with, against keys that a small real server publishes."""

import base64
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from llmflow.accounts.settings import OidcSettings
from llmflow.adapters import openid_provider
from llmflow.adapters.openid_provider import OpenIdProvider
from llmflow.errors import SignInRequired, StoreUnavailable

KEY, OTHER = RSAKey.generate_key(2048, {"kid": "one"}), RSAKey.generate_key(2048, {"kid": "two"})
ALL = JWSRegistry(algorithms=["RS256", "HS256", "none"])


@pytest.fixture(scope="module")
def published():
    """The keys that the server publishes, and its address."""
    keys = [KEY]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            base = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
            known = {
                "/.well-known/openid-configuration": {
                    "issuer": base, "jwks_uri": base + "/keys", "token_endpoint": "http://idp.example/token",
                    "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                },
                "/keys": {"keys": [key.as_dict(private=False) for key in keys]},
            }  # fmt: skip
            body = json.dumps(known[self.path]).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield keys, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def provider(published):
    return OpenIdProvider(OidcSettings(issuer=published[1], client_id="chat", clock_skew_s=30))


def signed(issuer: str, key=KEY, header=None, **changes) -> str:
    now = int(time.time())
    claims = {"iss": issuer, "aud": "chat", "sub": "kim", "nonce": "n", "iat": now, "exp": now + 60} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(header or {"alg": "RS256", "kid": key.kid}, claims, key, registry=ALL)


def signed_with_the_public_key(issuer: str) -> str:
    """Return a token whose HMAC anybody could make, in the hope that the public key is taken for a shared secret."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=")
    content = head + b"." + signed(issuer).split(".")[1].encode()
    mac = hmac.digest(KEY.as_pem(private=False), content, "sha256")
    return (content + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


def test_a_token_that_fits_is_taken(provider, published):
    assert provider.check_id_token(signed(published[1]), "n")["sub"] == "kim"
    assert provider.check_id_token(signed(published[1], aud=["chat", "other"], azp="chat"), "n")
    assert provider.check_id_token(signed(published[1], exp=int(time.time()) - 10), "n"), "clocks differ a little"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": None},
        {"aud": ["chat", "other"], "azp": "other"},
        {"nonce": "m"},
        {"nonce": None},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"exp": "later"},
        {"iat": int(time.time()) + 3600},
        {"sub": None},
    ],
)
def test_claims_that_do_not_fit_are_refused(provider, published, changes):
    with pytest.raises(SignInRequired):
        provider.check_id_token(signed(published[1], **changes), "n")


def test_signatures_that_are_none_are_refused(provider, published):
    issuer = published[1]
    forged = [
        signed(issuer, OTHER, {"alg": "RS256", "kid": "one"}),
        signed(issuer, OTHER),
        signed_with_the_public_key(issuer),
        signed(issuer, header={"alg": "none"}),
        signed(issuer).rsplit(".", 1)[0] + ".",
        "",
        "a.b.c",
        "x",
    ]
    for token in forged:
        with pytest.raises(SignInRequired):
            provider.check_id_token(token, "n")


def test_a_new_key_is_fetched_once_and_not_for_every_forgery(provider, published, monkeypatch):
    keys, issuer = published
    provider.check_id_token(signed(issuer), "n")
    keys.append(OTHER)
    try:
        with pytest.raises(SignInRequired):
            provider.check_id_token(signed(issuer, OTHER), "n")
        monkeypatch.setattr(openid_provider, "KEYS_S", 0.0)
        assert provider.check_id_token(signed(issuer, OTHER), "n")["sub"] == "kim"
    finally:
        keys.remove(OTHER)


def test_an_endpoint_without_tls_elsewhere_is_not_used(provider):
    with pytest.raises(StoreUnavailable, match="over https"):
        provider._endpoint("token_endpoint")
    with pytest.raises(StoreUnavailable, match="authorization_endpoint"):
        provider.authorization_url("http://127.0.0.1/x", "s", "n", "v" * 43)
