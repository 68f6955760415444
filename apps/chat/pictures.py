"""The picture of a cited page: GET /chat/pictures/{session}/{message}/{number}.png, for whoever may read the passage now."""

import hashlib
import logging
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from apps.chat.backend import Backend
from apps.chat.exchanges import citation_in
from llmflow.accounts.permissions import Permission
from llmflow.errors import NotFound
from llmflow.types import Account, Citation, Hit
from llmflow.workspace import project_path

log = logging.getLogger(__name__)

WIDTH = 900
SECONDS = 20
AT_ONCE = 2
KEPT_BYTES = 16 << 20


def make_router(backend: Backend) -> APIRouter:
    """Return the route. Permission is asked every time; only then is a picture taken from the cache."""
    router = APIRouter()
    pictures = PagePictures()
    chats = Depends(backend.guard.require(Permission.CHAT))

    @router.get("/chat/pictures/{session_id}/{message_id}/{number}.png", include_in_schema=False)
    def picture(session_id: str, message_id: str, number: int, account: Annotated[Account, chats]) -> Response:
        citation = citation_in(backend.conversations.messages(account, session_id), message_id, number)
        hit = backend.passages.passage(citation.chunk_id, account.principal()) if citation else None
        if citation is None or hit is None or not has_picture(hit):
            raise NotFound("There is no such page, or none that you may see.")
        drawn = pictures.picture(hit, citation, backend)
        if drawn is None:
            raise NotFound("This page could not be drawn. Download the original to see it.")
        return Response(drawn, media_type="image/png", headers={"Cache-Control": "private, no-cache"})

    return router


def has_picture(hit: Hit) -> bool:
    """Return whether the page of a passage can be drawn."""
    return hit.document.format == "pdf" and hit.chunk.page is not None


class PagePictures:
    """Draws pages in processes of their own, two at once, and keeps the newest few megabytes."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._kept_bytes = kept_bytes
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(AT_ONCE)

    def picture(self, hit: Hit, citation: Citation, backend: Backend) -> bytes | None:
        """Return the PNG of a passage's page, or None when it cannot be drawn. The caller has asked for permission."""
        shown = f"{hit.document.id}\n{hit.document.version}\n{hit.chunk.page}\n{citation.quote}"
        key = hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        original = backend.passages.original(hit.document.id)
        if original is None or hit.chunk.page is None:
            return None
        with self._slots:
            drawn = draw_apart(original, hit.chunk.page, citation.quote)
        if drawn is not None:
            self._keep(key, drawn)
        return drawn

    def _keep(self, key: str, drawn: bytes) -> None:
        with self._lock:
            self._kept[key] = drawn
            while sum(len(one) for one in self._kept.values()) > self._kept_bytes:
                self._kept.popitem(last=False)


def draw_apart(original: bytes, page: int, quote: str) -> bytes | None:
    """Return a page as PNG, drawn by a process that a broken file may crash; None when it did, or had no such page."""
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(original)
        file.flush()
        command = [sys.executable, "-m", "apps.chat.page_picture", file.name, str(page), str(WIDTH)]
        try:
            done = subprocess.run(
                command,
                input=quote.encode("utf-8", "replace"),
                capture_output=True,
                timeout=SECONDS,
                check=False,
                cwd=project_path(),
            )
        except subprocess.TimeoutExpired:
            log.warning("Drawing page %s took longer than %s s", page, SECONDS)
            return None
    if done.returncode != 0:
        log.warning("Page %s could not be drawn: %s", page, done.stderr.decode(errors="replace")[-300:])
        return None
    return done.stdout
