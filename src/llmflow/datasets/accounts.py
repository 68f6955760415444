"""Catalog entries of sign-in."""

from collections.abc import Callable
from typing import Any

from llmflow.datasets.adapter import AdapterDataset


class IdentityProviderDataset(AdapterDataset):
    """Opens to a function from `auth.oidc` of chat.yml to the provider. `credentials: {client_secret}`, if any."""

    def open(self, credentials: dict[str, str] | None = None) -> Callable[[Any], Any]:
        from llmflow.adapters.openid_provider import OpenIdProvider

        secret = (credentials or {}).get("client_secret", "")
        return lambda settings: OpenIdProvider(settings, secret)
