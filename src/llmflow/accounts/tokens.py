"""Secrets that stand for a signed-in account. They are random enough that a fast hash keeps them safe."""

import hashlib
import secrets
import uuid


def new_token(prefix: str = "") -> str:
    """Return `prefix` and 256 random bits in URL-safe characters."""
    return prefix + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return SHA-256 in hexadecimal: what is stored in place of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def new_id() -> str:
    """Return a random id for an account or a sign-in; it tells nothing of when or in which order."""
    return uuid.uuid4().hex
