"""Sign-in at an OpenID provider: authorization code with PKCE, through authlib; id tokens checked against the provider's keys."""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from llmflow.accounts.settings import LOOPBACK, OidcSettings
from llmflow.errors import SignInRequired, StoreUnavailable
from llmflow.ports.identity import Passed
from llmflow.wording import said

log = logging.getLogger(__name__)

METADATA_S = 3600.0
KEYS_S = 60.0
"""The provider's keys are fetched again for a token that none of them signed, at most so often."""
_REFUSED = said("provider.refused")


class OpenIdProvider:
    """IdentityProvider over one issuer and our client of it. Nothing is fetched before the first sign-in; safe in threads."""

    def __init__(self, settings: OidcSettings, client_secret: str = "") -> None:
        self._settings = settings
        self._secret = client_secret
        self._lock = threading.Lock()
        self._metadata: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, Any] | None = None

    def authorization_url(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return where to send the browser. Raises `StoreUnavailable` when the provider cannot be reached."""
        with self._client(redirect_uri) as client:
            url, _ = client.create_authorization_url(
                self._endpoint("authorization_endpoint"), state=state, nonce=nonce, code_verifier=verifier
            )
        return url

    def redeem(self, code: str, redirect_uri: str, nonce: str, verifier: str, issuer: str = "") -> Passed:
        """Exchange a code for claims. `issuer` is what came back beside the code (RFC 9207), empty where nothing did.

        Raises `SignInRequired` when code or id token are not accepted: signature, issuer, audience, nonce, times.
        """
        from authlib.integrations.base_client import OAuthError
        from httpx2 import HTTPError

        metadata = self._provider()
        if (issuer or metadata.get("authorization_response_iss_parameter_supported")) and issuer != metadata["issuer"]:
            raise _refused("the answer names another issuer")
        try:
            with self._client(redirect_uri) as client:
                token = client.fetch_token(
                    self._endpoint("token_endpoint"), grant_type="authorization_code", code=code, code_verifier=verifier
                )
                claims = self.check_id_token(str(token.get("id_token", "")), nonce, str(token.get("access_token", "")))
                if self._settings.userinfo:
                    claims = self._with_userinfo(client, claims)
        except OAuthError as exc:
            raise _refused(f"the provider refused the code: {exc.error}") from exc
        except HTTPError as exc:
            raise self._away(exc) from exc
        except ValueError as exc:  # an answer that is no JSON
            raise _refused("the provider's answer cannot be read") from exc
        return Passed(metadata["issuer"], claims, str(token["id_token"]))

    def check_id_token(self, id_token: str, nonce: str, access_token: str = "") -> dict[str, Any]:
        """Return the claims of a token that the provider signed for us, now, in answer to `nonce`. Raises `SignInRequired`."""
        from authlib.oidc.core import CodeIDToken
        from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError

        try:
            try:
                token = self._decode(id_token, self._key_set())
            except (InvalidKeyIdError, BadSignatureError):
                token = self._decode(id_token, self._key_set(renew=True))
            client_id = self._settings.client_id
            expected = {
                "iss": {"essential": True, "value": self._provider()["issuer"]},
                "aud": {"essential": True, "value": client_id},
            }
            known = {"nonce": nonce, "client_id": client_id, "access_token": access_token}
            claims = CodeIDToken(token.claims, token.header, expected, known)
            claims.validate(leeway=self._settings.clock_skew_s)
        except (JoseError, ValueError, TypeError, KeyError) as exc:
            raise _refused(f"id token: {type(exc).__name__} {exc}") from exc
        return dict(claims)

    def logout_url(self, back_to: str, id_token: str = "") -> str:
        """Return where to send the browser to end its session at the provider; empty where it offers nothing of the kind."""
        endpoint = self._provider().get("end_session_endpoint") if self._settings.logout else None
        if not endpoint or not _is_safe(endpoint):
            return ""
        hint = {"id_token_hint": id_token} if id_token else {}
        wanted = urlencode({**hint, "client_id": self._settings.client_id, "post_logout_redirect_uri": back_to})
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{wanted}"

    def _with_userinfo(self, client: Any, claims: dict[str, Any]) -> dict[str, Any]:
        response = client.get(self._endpoint("userinfo_endpoint"))
        response.raise_for_status()
        more = response.json()
        if not isinstance(more, dict) or more.get("sub") != claims["sub"]:
            raise _refused("userinfo speaks of another subject")
        return more | claims  # what is signed counts first

    def _decode(self, id_token: str, keys: Any) -> Any:
        from joserfc import jwt
        from joserfc.jws import JWSRegistry

        offered = self._provider().get("id_token_signing_alg_values_supported") or ["RS256"]
        allowed = [name for name in self._settings.signatures if name in offered]
        return jwt.decode(id_token, keys, registry=JWSRegistry(algorithms=allowed, strict_check_header=False))

    def _client(self, redirect_uri: str) -> Any:
        try:
            from authlib.integrations.httpx_client import OAuth2Client
        except ModuleNotFoundError as exc:
            from llmflow.errors import MissingDependency

            raise MissingDependency(
                "Sign-in at an OpenID provider needs authlib. Install it: pip install 'llmflow[apps]'"
            ) from exc
        methods = self._provider().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        how = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        return OAuth2Client(
            self._settings.client_id,
            self._secret or None,
            token_endpoint_auth_method=how if self._secret else "none",
            scope=" ".join(self._settings.scopes),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            **self._session(),
        )

    def _session(self) -> dict[str, Any]:
        if not self._settings.ca_file:
            return {"timeout": self._settings.timeout_s}
        import ssl

        return {"timeout": self._settings.timeout_s, "verify": ssl.create_default_context(cafile=self._settings.ca_file)}

    def _endpoint(self, name: str) -> str:
        address = self._provider().get(name)
        if not isinstance(address, str) or not _is_safe(address):
            raise StoreUnavailable(said("provider.no_endpoint", issuer=self._settings.issuer, name=name))
        return address

    def _provider(self) -> Mapping[str, Any]:
        with self._lock:
            if self._metadata is None or time.monotonic() - self._metadata[0] > METADATA_S:
                found = self._get_json(self._settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
                if found.get("issuer") != self._settings.issuer:
                    raise StoreUnavailable(
                        said("provider.other_name", issuer=self._settings.issuer, found=repr(found.get("issuer")))
                    )
                self._metadata = (time.monotonic(), found)
            return self._metadata[1]

    def _key_set(self, renew: bool = False) -> Any:
        from joserfc.jwk import KeySet

        address = self._endpoint("jwks_uri")
        with self._lock:
            age = time.monotonic() - self._keys[0] if self._keys else METADATA_S + 1
            if self._keys is None or age > METADATA_S or (renew and age > KEYS_S):
                found: Any = self._get_json(address)
                self._keys = (time.monotonic(), KeySet.import_key_set(found))
            return self._keys[1]

    def _get_json(self, address: str) -> dict[str, Any]:
        import httpx2

        try:
            response = httpx2.get(address, **self._session())
            response.raise_for_status()
            found = response.json()
        except (httpx2.HTTPError, ValueError, OSError) as exc:
            raise self._away(exc) from exc
        if not isinstance(found, dict):
            raise StoreUnavailable(said("provider.no_object", address=address))
        return found

    def _away(self, exc: Exception) -> StoreUnavailable:
        return StoreUnavailable(said("provider.away", issuer=self._settings.issuer, reason=f"{type(exc).__name__}: {exc}"))


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _refused(why: str) -> SignInRequired:
    log.warning("Sign-in refused: %s", why)
    return SignInRequired(_REFUSED)
