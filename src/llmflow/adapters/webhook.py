"""A signed POST when something ended.

The body is JSON `{"event", "payload"}`; the header `X-LLMFlow-Signature: sha256=<hex>` is the HMAC-SHA256 of the body under the
shared secret, so that the receiver can tell it is ours.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping

from pydantic import Field

from llmflow.config import Settings

LOG = logging.getLogger(__name__)


class WebhookSettings(Settings):
    url: str = ""
    """Nothing is sent while it is empty."""
    timeout_s: float = Field(default=10.0, gt=0)
    attempts: int = Field(default=3, ge=1, le=10)


class Webhook:
    """Notifier over HTTP; a receiver that is down never stops a run."""

    def __init__(self, settings: WebhookSettings, secret: str = ""):
        self._settings = settings
        self._secret = secret

    def notify(self, event: str, payload: Mapping[str, object]) -> bool:
        if not self._settings.url:
            return False
        import httpx
        from tenacity import RetryError, Retrying, stop_after_attempt, wait_exponential_jitter

        body = json.dumps({"event": event, "payload": payload}, ensure_ascii=False, sort_keys=True).encode()
        headers = {"Content-Type": "application/json", "X-LLMFlow-Signature": f"sha256={sign(body, self._secret)}"}
        pause = wait_exponential_jitter(multiplier=0.2, max=2.0)
        retrying = Retrying(stop=stop_after_attempt(self._settings.attempts), wait=pause)
        try:
            for attempt in retrying:
                with attempt:
                    answer = httpx.post(self._settings.url, content=body, headers=headers, timeout=self._settings.timeout_s)
                    answer.raise_for_status()
        except (RetryError, httpx.InvalidURL) as exc:
            LOG.warning("The webhook for %s was not delivered: %s", event, type(exc).__name__)
            return False
        return True


def sign(body: bytes, secret: str) -> str:
    """Return the hex HMAC-SHA256 of `body`."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
