"""Limits that are checked before a library opens a file."""

import io
import zipfile

from llmflow.errors import DocumentError
from llmflow.ingestion.parsing.settings import ParserSettings
from llmflow.wording import said

_BOMB_FLOOR = 50 * 1024**2  # an archive this small is harmless whatever its ratio


def check_size(size: int, settings: ParserSettings) -> None:
    """Raise DocumentError for an empty file and for one over `max_bytes`."""
    if size == 0:
        raise DocumentError(said("file.empty"))
    if size > settings.max_bytes:
        raise DocumentError(said("file.too_large", size=f"{size / 1024**2:,.0f}", most=f"{settings.max_bytes / 1024**2:,.0f}"))


def check_characters(count: int, settings: ParserSettings) -> None:
    """Raise DocumentError for more text than one document may have."""
    if count > settings.max_characters:
        raise DocumentError(said("document.too_long", count=f"{count:,}", most=f"{settings.max_characters:,}"))


def check_records(count: int, settings: ParserSettings) -> None:
    """Raise DocumentError for more rows than one document may have."""
    if count > settings.max_records:
        raise DocumentError(said("document.too_many_rows", most=f"{settings.max_records:,}"))


def check_pages(count: int, settings: ParserSettings) -> None:
    """Raise DocumentError for more pages than one document may have."""
    if count > settings.max_pages:
        raise DocumentError(said("document.too_many_pages", count=f"{count:,}", most=f"{settings.max_pages:,}"))


def check_archive(data: bytes, settings: ParserSettings) -> None:
    """Raise DocumentError for a zip that is damaged, encrypted or would unpack to a flood.

    Declared sizes are enough: `zipfile` never unpacks a member beyond the size it declares.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as exc:
        raise DocumentError(said("archive.damaged", reason=exc)) from exc
    if any(member.flag_bits & 0x1 for member in members):
        raise DocumentError(said("document.password"))
    unpacked = sum(member.file_size for member in members)
    packed = max(1, sum(member.compress_size for member in members))
    if len(members) > settings.max_archive_members:
        raise DocumentError(said("archive.too_many_parts", count=f"{len(members):,}", most=f"{settings.max_archive_members:,}"))
    if unpacked > settings.max_unpacked_bytes or (unpacked > _BOMB_FLOOR and unpacked / packed > settings.max_archive_ratio):
        raise DocumentError(
            said(
                "archive.bomb",
                size=f"{unpacked / 1024**2:,.0f}",
                times=f"{unpacked // packed:,}",
                most=f"{settings.max_unpacked_bytes / 1024**2:,.0f}",
                ratio=settings.max_archive_ratio,
            )
        )
