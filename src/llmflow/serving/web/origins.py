"""Requests that a browser sends on behalf of another site, and addresses that it may be sent on to."""

from urllib.parse import SplitResult, urlsplit

from starlette.requests import HTTPConnection

from llmflow.accounts.settings import LOOPBACK
from llmflow.errors import PermissionDenied
from llmflow.wording import said

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def check_same_origin(connection: HTTPConnection, public_url: str = "") -> None:
    """Raise `PermissionDenied` for a write, or a WebSocket, that another site's page sends with this browser's cookies.

    Browsers say where a write comes from by Sec-Fetch-Site, older ones by Origin, and no page can leave out or forge both. A
    request with neither does not come from a page of a browser.
    """
    if connection.scope["type"] == "http" and connection.scope["method"] in _SAFE_METHODS:
        return
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    own = site in ("same-origin", "none") if site is not None else origin is None or _is_own(origin, connection, public_url)
    if not own:
        raise PermissionDenied(said("origin.other"))


def check_loopback_host(connection: HTTPConnection) -> None:
    """Raise `PermissionDenied` where the request was addressed to another name than this machine's own.

    A page of another site may give its own name the address 127.0.0.1 (DNS rebinding); it cannot give itself this name.
    """
    host = _split(f"//{connection.headers.get('host', '')}").hostname
    if host not in LOOPBACK:
        raise PermissionDenied(said("origin.single", host=f"{host!r}"))


def local_path(wanted: str | None) -> str:
    """Return a path of this site to go on to after signing in; `/` for everything that could lead elsewhere.

    Browsers take backslashes for slashes and leave out tabs and line breaks: `/\\\\evil` and `/<tab>/evil` are other hosts.
    """
    if not wanted or not wanted.startswith("/") or wanted.startswith("//") or len(wanted) > 2000:
        return "/"
    if "\\" in wanted or any(ord(character) <= 32 or ord(character) == 127 for character in wanted):
        return "/"
    if wanted.split("?")[0].split("#")[0].rstrip("/") in ("/sign-in", "/sign-out"):
        return "/"
    return wanted


def origin_of(connection: HTTPConnection, public_url: str = "") -> str:
    """Return scheme, host and port by which browsers reach this site."""
    return public_url or f"{connection.url.scheme}://{connection.url.netloc}".replace("ws", "http", 1)


def _is_own(origin: str, connection: HTTPConnection, public_url: str) -> bool:
    # Behind a proxy that ends TLS the scheme that arrives is not the browser's, so hosts are compared, as Host is the browser's.
    named = _split(origin)
    if named.scheme not in ("http", "https") or not named.netloc:
        return False
    hosts = {connection.headers.get("host", "").lower(), urlsplit(public_url).netloc.lower()} - {""}
    return named.netloc.lower() in hosts


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # such as an unclosed bracket
        return urlsplit("")
