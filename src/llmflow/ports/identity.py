"""Port of an identity provider: where people prove who they are, outside of llmflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Passed:
    """What a provider said of who signed in, checked. `id_token` is the hint for signing out there."""

    issuer: str
    claims: Mapping[str, Any]
    id_token: str


class IdentityProvider(Protocol):
    """An OpenID provider. Raises `StoreUnavailable` when it cannot be reached; safe in threads."""

    def authorization_url(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return where to send the browser: authorization code, PKCE with S256."""
        ...

    def redeem(self, code: str, redirect_uri: str, nonce: str, verifier: str, issuer: str = "") -> Passed:
        """Exchange a code for claims whose signature, issuer, audience, nonce and times hold.

        `issuer` is what came back beside the code (RFC 9207), empty where nothing did. Raises `SignInRequired` when code or id
        token are not accepted.
        """
        ...

    def logout_url(self, back_to: str, id_token: str = "") -> str:
        """Return where to send the browser to end its session at the provider; empty where it offers nothing of the kind."""
        ...
