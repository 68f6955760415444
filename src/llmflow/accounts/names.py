"""Names of accounts, groups and tenants: what may be one, and in which form it is kept."""

import re
import unicodedata

from llmflow.errors import Refused
from llmflow.types import EVERYONE, OWN_SPACE
from llmflow.wording import said

_ACCOUNT = re.compile(r"[^\W_][\w.@+-]{0,63}")
_GROUP = re.compile(r"[^\W_](?:[\w .,=&/+@-]{0,98}[\w.=&/+@-])?")
_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def account_name(text: str) -> str:
    """Return the name in the form that is kept (NFKC, without outer spaces). Raises `Refused` for what is no name."""
    name = unicodedata.normalize("NFKC", text).strip()
    if not _ACCOUNT.fullmatch(name):
        raise Refused(said("account.name", name=repr(name[:80])))
    return name


def group_name(text: str) -> str:
    """Return the group in the form that is kept. Raises `Refused` for what is none, everyone (`*`) and own spaces included."""
    name = unicodedata.normalize("NFKC", text).strip()
    if name.casefold().startswith(OWN_SPACE):
        raise Refused(said("group.own_space", name=f"{name[:80]!r}", prefix=OWN_SPACE))
    if name == EVERYONE:
        raise Refused(said("group.everyone", name=EVERYONE))
    if not _GROUP.fullmatch(name):
        raise Refused(said("group.name", name=repr(name[:80])))
    return name


def group_names(texts: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Return groups in the form that is kept, sorted, each once. Raises `Refused` for the first that is none."""
    return tuple(sorted({group_name(text) for text in texts}))


def tenant_name(text: str) -> str:
    """Return the tenant. Raises `Refused` for what is none: names of tenants are part of ids and paths."""
    if not _TENANT.fullmatch(text):
        raise Refused(said("tenant.name", name=repr(text[:80])))
    return text


def display_name(text: str, otherwise: str) -> str:
    """Return a name for people to read: printable, at most 100 characters; `otherwise` where nothing is left."""
    kept = "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    return " ".join(kept.split())[:100] or otherwise
