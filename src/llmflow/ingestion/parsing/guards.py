"""Limits that are checked before a library opens a file."""

import io
import zipfile

from llmflow.errors import DocumentError
from llmflow.ingestion.parsing.settings import ParserSettings

_BOMB_FLOOR = 50 * 1024**2  # an archive this small is harmless whatever its ratio


def check_size(size: int, settings: ParserSettings) -> None:
    """Raise DocumentError for an empty file and for one over `max_bytes`."""
    if size == 0:
        raise DocumentError("The file is empty. Add its content and retry.")
    if size > settings.max_bytes:
        raise DocumentError(
            f"The file has {size / 1024**2:,.0f} MiB; at most {settings.max_bytes / 1024**2:,.0f} MiB are read. "
            "Split it, or raise max_bytes in the parser settings."
        )


def check_characters(count: int, settings: ParserSettings) -> None:
    """Raise DocumentError for more text than one document may have."""
    if count > settings.max_characters:
        raise DocumentError(
            f"The document has at least {count:,} characters; at most {settings.max_characters:,} are read. "
            "Split it, or raise max_characters in the parser settings."
        )


def check_records(count: int, settings: ParserSettings) -> None:
    """Raise DocumentError for more rows than one document may have."""
    if count > settings.max_records:
        raise DocumentError(
            f"The document has more than {settings.max_records:,} rows. Split it, or raise max_records in the parser settings."
        )


def check_pages(count: int, settings: ParserSettings) -> None:
    """Raise DocumentError for more pages than one document may have."""
    if count > settings.max_pages:
        raise DocumentError(
            f"The document has {count:,} pages; at most {settings.max_pages:,} are read. "
            "Split it, or raise max_pages in the parser settings."
        )


def check_archive(data: bytes, settings: ParserSettings) -> None:
    """Raise DocumentError for a zip that is damaged, encrypted or would unpack to a flood.

    Declared sizes are enough: `zipfile` never unpacks a member beyond the size it declares.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as exc:
        raise DocumentError(f"The archive is damaged ({exc}). Open it in its application, save it again and retry.") from exc
    if any(member.flag_bits & 0x1 for member in members):
        raise DocumentError("The document is protected by a password. Remove the password in its application and retry.")
    unpacked = sum(member.file_size for member in members)
    packed = max(1, sum(member.compress_size for member in members))
    if len(members) > settings.max_archive_members:
        raise DocumentError(f"The archive holds {len(members):,} parts; at most {settings.max_archive_members:,} are read.")
    if unpacked > settings.max_unpacked_bytes or (unpacked > _BOMB_FLOOR and unpacked / packed > settings.max_archive_ratio):
        raise DocumentError(
            f"The archive unpacks to {unpacked / 1024**2:,.0f} MiB, {unpacked // packed:,} times its size, as a zip bomb does. "
            f"At most {settings.max_unpacked_bytes / 1024**2:,.0f} MiB and {settings.max_archive_ratio} times are read."
        )
