"""EML and MSG mails: who wrote when about what, the body, then the attached files."""

import email
import email.policy
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.message import EmailMessage

from llmflow.errors import DocumentError, LlmflowError
from llmflow.ingestion.parsing.html import declared_encoding, read_html
from llmflow.ingestion.parsing.outcome import Reading
from llmflow.ingestion.parsing.settings import ParserSettings
from llmflow.ingestion.parsing.text import decode, read_text
from llmflow.types import Element, ElementKind, ParsedDocument
from llmflow.wording import said

ReadAttachment = Callable[[bytes, str], ParsedDocument]
_ENCRYPTED = said("mail.encrypted")
_HEADERS = ("From", "To", "Cc", "Date")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail; `inline` when the body shows it, as signatures do."""

    name: str
    data: bytes
    inline: bool


def read_eml(data: bytes, settings: ParserSettings, read_attachment: ReadAttachment) -> Reading:
    """Return a mail's elements; attachments that cannot be read become warnings.

    Raises DocumentError for encrypted mail.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data[:64]:
        data = decode(data).text.lstrip("\ufeff").encode("utf-8")
    message = email.message_from_bytes(data.lstrip(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    parts = list(message.walk())
    for part in parts:
        kind = part.get_content_type()
        if kind == "multipart/encrypted" or (kind.endswith("pkcs7-mime") and part.get_param("smime-type") != "signed-data"):
            raise DocumentError(_ENCRYPTED)
    bodies = {"plain": "", "html": ""}
    attachments: list[Attachment] = []
    for part in parts:
        if part.is_multipart():
            continue
        name = _filename(part)
        if part.get_content_maintype() == "text" and not name and part.get_content_disposition() != "attachment":
            kind = "html" if part.get_content_subtype() == "html" else "plain"
            bodies[kind] += _part_text(part) + "\n"
        elif name:
            attachments.append(
                Attachment(name, _payload(part), bool(part.get("Content-ID")) or part.get_content_disposition() == "inline")
            )
    fields = {name: _header(message, name) for name in ("Subject", *_HEADERS)}
    return _reading(fields, bodies["plain"], bodies["html"], attachments, settings, read_attachment)


def read_msg(data: bytes, settings: ParserSettings, read_attachment: ReadAttachment) -> Reading:
    """As `read_eml`, for Outlook's format."""
    import oxmsg

    try:
        message = oxmsg.Message.load(io.BytesIO(data))
        kind = message.message_class or ""
        headers = {key.title(): value for key, value in (message.message_headers or {}).items()}
        if "encrypt" in str(headers.get("Content-Type", "")).lower() or (
            kind.upper().startswith("IPM.NOTE.SMIME") and "SIGNED" not in kind.upper()
        ):
            raise DocumentError(_ENCRYPTED)
        fields = {
            "Subject": message.subject or "",
            "From": message.sender or headers.get("From", ""),
            "To": ", ".join(recipient.email_address or recipient.name for recipient in message.recipients)
            or headers.get("To", ""),
            "Cc": headers.get("Cc", ""),
            "Date": message.sent_date.isoformat(" ", "minutes") if message.sent_date else headers.get("Date", ""),
        }
        attachments = [Attachment(part.file_name or "attachment", part.file_bytes or b"", False) for part in message.attachments]
        plain, page = message.body or "", message.html_body or ""
    except DocumentError:
        raise
    except Exception as exc:  # oxmsg raises whatever the damage leads to
        raise DocumentError(said("mail.damaged", reason=exc)) from exc
    return _reading(fields, plain, page, attachments, settings, read_attachment)


def _reading(
    fields: dict[str, str],
    plain: str,
    page: str,
    attachments: Iterable[Attachment],
    settings: ParserSettings,
    read_attachment: ReadAttachment,
) -> Reading:
    elements: list[Element] = []
    subject = fields.get("Subject", "")
    if subject:
        elements.append(Element(ElementKind.TITLE, subject, level=1))
    lines = [f"{name}: {fields[name]}" for name in _HEADERS if fields.get(name)]
    body = read_html(page).elements if page.strip() else []
    body = body or read_text(plain.replace("\r\n", "\n")).elements
    attached, warnings = _read_attachments(attachments, settings, read_attachment)
    if lines and (body or attached or subject):
        elements.append(Element(ElementKind.TEXT, "\n".join(lines)))
    return Reading(elements + body + attached, title=subject, warnings=tuple(warnings))


def _read_attachments(
    attachments: Iterable[Attachment], settings: ParserSettings, read_attachment: ReadAttachment
) -> tuple[list[Element], list[str]]:
    elements: list[Element] = []
    warnings: list[str] = []
    for part in attachments:
        if part.inline and re.search(r"\.(png|jpe?g|gif|bmp)$", part.name, re.I):
            continue
        elements.append(Element(ElementKind.TITLE, f"Attachment: {part.name}", level=1))
        if not settings.attachments:
            warnings.append(f"The attachment '{part.name}' was not read: attachments are switched off.")
            continue
        try:
            document = read_attachment(part.data, part.name)
        except LlmflowError as exc:
            warnings.append(f"The attachment '{part.name}' was not read. {exc}")
            continue
        elements.extend(
            Element(element.kind, element.text, level=element.level + 1 if element.level else 0, html=element.html)
            for element in document.elements
        )
        warnings.extend(f"{part.name}: {warning}" for warning in document.warnings)
    return elements, warnings


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except Exception:  # the header parser of the standard library fails in many ways on malformed headers
        return next((" ".join(str(value).split()) for key, value in message.raw_items() if key.lower() == name.lower()), "")


def _filename(part: EmailMessage) -> str:
    try:
        return part.get_filename() or ""
    except Exception:  # see _header
        return ""


def _payload(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _part_text(part: EmailMessage) -> str:
    data = _payload(part)
    charset = part.get_content_charset()
    if charset and charset != "us-ascii":
        try:
            return data.decode(charset)
        except (LookupError, UnicodeDecodeError):
            pass
    return decode(data, charset or declared_encoding(data)).text
