"""What arrives as an upload: read under a limit, named safely, and looked at before anything is kept."""

import re
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from llmflow.errors import DocumentError
from llmflow.ingestion.parsing.detect import ALLOWED, detect_format
from llmflow.ingestion.parsing.guards import check_archive, check_size
from llmflow.ingestion.parsing.settings import ParserSettings
from llmflow.serving.web.http_errors import HttpProblem
from llmflow.wording import Said, said

OVERHEAD = 64 * 1024
"""Bytes that a form may need beside its file: boundaries, headers, names of groups."""
ARCHIVES = ("docx", "pptx", "xlsx", "epub", "odt")
UNNAMED = "document"
FORM = said("upload.form")


@dataclass(frozen=True, slots=True)
class Received:
    """A file as it was sent. `file` is open at its start and belongs to the receiver."""

    name: str
    """As `clean_name` made it."""
    file: BinaryIO
    size: int
    groups: tuple[str, ...] | None
    """Readers that were asked for; None where the form names none."""


async def receive(request: Request, max_bytes: int, max_name_chars: int) -> Received:
    """Return the one file of a form; it lies in memory up to a MiB and in a temporary file beyond.

    Nothing past the limit is read. Raises HttpProblem: 413 for too much, 422 for what is no such form.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes + OVERHEAD:
        raise too_large(max_bytes)
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise HttpProblem(422, said("upload.no_form"), FORM, said("upload.send_form"))
    parser = MultiPartParser(request.headers, _limited(request, max_bytes), max_files=1, max_fields=64)  # type: ignore[arg-type]
    try:
        form = await parser.parse()
    except MultiPartException as exc:
        raise HttpProblem(422, said("upload.form_broken", reason=exc.message), FORM, said("upload.one_file")) from exc
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        await form.close()
        raise HttpProblem(422, said("upload.no_file"), FORM, said("upload.choose_file"))
    groups = tuple(value for value in form.getlist("groups") if isinstance(value, str) and value)
    name = clean_name(upload.filename or "", max_name_chars)
    return Received(name, upload.file, upload.size or 0, groups if "groups" in form else None)


def too_large(max_bytes: int) -> HttpProblem:
    allowed = said("upload.most", most=f"{max_bytes / 1024**2:,.1f}")
    return HttpProblem(413, said("upload.too_large"), allowed, said("upload.split"))


async def _limited(request: Request, max_bytes: int) -> AsyncIterator[bytes]:
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read > max_bytes + OVERHEAD:
            raise too_large(max_bytes)
        yield chunk


def clean_name(name: str, max_chars: int) -> str:
    """Return a file's name without folders, control and invisible characters: NFC, never empty, never hidden.

    >>> clean_name("../../etc/passwd", 120)
    'passwd'
    """
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    text = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    text = re.split(r"[/\\]", text)[-1]
    text = re.sub(r"\s+", " ", text).strip(" .~$")
    stem, dot, extension = text.rpartition(".")
    if dot and stem and len(extension) <= 12:
        return f"{stem[: max_chars - len(extension) - 1].rstrip(' .')}.{extension}"
    return text[:max_chars].rstrip(" .") or UNNAMED


def check_content(path: Path, name: str, settings: ParserSettings) -> str:
    """Return the format of a file by its content. Raises HttpProblem 422 for what is not read, with what is."""
    try:
        check_size(path.stat().st_size, settings)
        data = path.read_bytes()
        kind = detect_format(data, name)
        if kind in ARCHIVES:
            check_archive(data, settings)
    except DocumentError as exc:
        raise refused(str(exc)) from exc
    return kind


def refused(reason: str) -> HttpProblem:
    """Return a parser's reason in three sentences: its first says what was wrong, its last what to do."""
    sentences = _sentences(reason) or [said("upload.unreadable")]
    allowed = next(
        (part for part in sentences[1:-1] if "llowed" in part or "t most" in part), said("upload.kinds", kinds=ALLOWED)
    )
    then = sentences[-1] if len(sentences) > 1 else said("upload.convert")
    if then is allowed:
        then = said("upload.convert")
    return HttpProblem(422, sentences[0], allowed, then)


def _sentences(reason: str) -> list[str]:
    """Return a reason sentence by sentence, each in both languages where the reason has a code."""
    english = [part for part in re.split(r"(?<=[.?!]) (?=[A-Z])", reason.strip()) if part]
    if not isinstance(reason, Said):
        return english
    korean = [part for part in re.split(r"(?<=[.?!]) (?=\S)", reason.korean) if part]
    if len(korean) != len(english):  # values with stops of their own: as a whole it is at least said once
        korean = [reason.korean, *[""] * (len(english) - 1)]
    return [Said(one, other or one, reason.code, reason.values) for one, other in zip(english, korean, strict=True)]
