"""The format of a file by its content; the name decides only between formats that look alike.

>>> detect_format(b"%PDF-1.7 ...", "report.docx")
'pdf'
"""

import io
import json
import re
import zipfile
import zlib

from llmflow.errors import DocumentError
from llmflow.ingestion.parsing.text import decode, looks_binary
from llmflow.wording import said

ALLOWED = (
    "PDF, DOCX, DOC, PPTX, PPT, XLSX, XLS, ODT, RTF, EPUB, HTML, Markdown, RST, Org, plain text, CSV, TSV, JSON, NDJSON, XML, "
    "EML, MSG, and PNG, JPEG, BMP, TIFF, HEIC, GIF or WebP images"
)
IMAGES = ("png", "jpg", "bmp", "tiff", "heic", "gif", "webp")
_BY_NAME = {
    "md": "md", "markdown": "md", "mdx": "md", "rst": "rst", "org": "org", "csv": "csv", "tsv": "tsv", "tab": "tsv",
    "html": "html", "htm": "html", "xhtml": "html", "xml": "xml", "json": "json", "ndjson": "json", "jsonl": "json",
    "eml": "eml", "txt": "txt", "text": "txt", "log": "txt",
}  # fmt: skip
_BINARY_NAMES = frozenset(
    [
        "pdf",
        "docx",
        "doc",
        "pptx",
        "ppt",
        "xlsx",
        "xls",
        "odt",
        "rtf",
        "epub",
        "msg",
        "png",
        "jpg",
        "jpeg",
        "bmp",
        "tif",
        "tiff",
        "heic",
        "heif",
    ]
)
_MAIL_HEADERS = re.compile(
    r"^(from|to|cc|subject|date|received|mime-version|message-id|return-path|delivered-to|content-type|x-[\w-]+):", re.I
)
_HTML_START = re.compile(r"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!doctype\s+html|<html[\s>])", re.I | re.S)
_XML_START = re.compile(r"^\s*(?:<\?xml[\s?]|<!DOCTYPE\s+(?!html))", re.I)
_TAG_START = re.compile(r"^\s*<[A-Za-z][\w:.-]*[\s/>]")
_HTML_TAGS = re.compile(r"<(?:body|head|div|p|table|span|h[1-6]|ul|ol|a|img|br)[\s/>]", re.I)


def detect_format(data: bytes, name: str) -> str:
    """Return the lower-case format of `data`.

    Raises DocumentError for binaries that are not read, with what is allowed.
    """
    binary = _by_magic(data)
    if binary:
        return binary
    if looks_binary(data):
        raise DocumentError(said("kind.binary", name=name, kinds=ALLOWED))
    return _by_text(data, name)


def _by_magic(data: bytes) -> str | None:
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _by_members(data)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _by_streams(data)
    if data.lstrip()[:5] == b"{\\rtf":
        return "rtf"
    return _by_picture(data)


def _by_picture(data: bytes) -> str | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if data.startswith(b"BM") and data[6:10] == bytes(4):
        return "bmp"
    if data.startswith((b"II*\x00", b"MM\x00*")):
        return "tiff"
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis"):
        return "heic"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    return "webp" if data.startswith(b"RIFF") and data[8:12] == b"WEBP" else None


def _by_members(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            kind = archive.read("mimetype")[:200].decode("latin-1").strip() if "mimetype" in names else ""
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError, EOFError, zlib.error) as exc:
        raise DocumentError(said("archive.damaged", reason=exc)) from exc
    for folder, kind_of_office in (("word/", "docx"), ("xl/", "xlsx"), ("ppt/", "pptx")):
        if any(member.startswith(folder) for member in names) and "[Content_Types].xml" in names:
            return kind_of_office
    if kind == "application/epub+zip":
        return "epub"
    if kind.startswith("application/vnd.oasis.opendocument.text"):
        return "odt"
    if kind.startswith("application/vnd.oasis.opendocument"):
        raise DocumentError(said("kind.opendocument"))
    if kind == "application/hwp+zip":
        raise DocumentError(said("kind.hwpx"))
    raise DocumentError(said("kind.zip", kinds=ALLOWED))


def _by_streams(data: bytes) -> str:
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as archive:
            names = {"/".join(path) for path in archive.listdir()}
    except Exception as exc:  # olefile raises whatever the damage leads to
        raise DocumentError(said("office.container_damaged", reason=exc)) from exc
    if "EncryptedPackage" in names:
        raise DocumentError(said("document.password"))
    for stream, kind in (
        ("WordDocument", "doc"),
        ("PowerPoint Document", "ppt"),
        ("Workbook", "xls"),
        ("Book", "xls"),
        ("__properties_version1.0", "msg"),
    ):
        if stream in names:
            return kind
    if any(name.startswith("BodyText/") for name in names):
        raise DocumentError(said("kind.hwp"))
    raise DocumentError(said("kind.office", kinds=ALLOWED))


def _by_text(data: bytes, name: str) -> str:
    """Signatures first, then the name, then what the first lines look like."""
    head = decode(data[:65_536]).text.lstrip("\ufeff \t\r\n")
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    named = _BY_NAME.get(extension)
    if _HTML_START.match(head):
        return "html"
    if named == "eml" or (named != "md" and _looks_like_mail(head)):
        return "eml"
    if _XML_START.match(head):
        return "html" if named == "html" else "xml"
    if named == "json" or (head[:1] in ("{", "[") and _is_json(data)):
        return "json"
    if named in ("html", "xml"):
        return _markup_or_text(head, named)
    if named and named != "txt":
        return named
    if _TAG_START.match(head) and _HTML_TAGS.search(head):
        return "html"
    if extension in _BINARY_NAMES or not extension:
        return _by_look(head)
    return "txt"


def _markup_or_text(head: str, named: str) -> str:
    if named == "xml" and not _TAG_START.match(head):
        return "html" if _HTML_TAGS.search(head) else "txt"
    return named


def _looks_like_mail(head: str) -> bool:
    """At least two of a mail's usual headers open the text, one of them naming people or a subject."""
    found: set[str] = set()
    for line in head.splitlines()[:40]:
        match = _MAIL_HEADERS.match(line)
        if match:
            found.add(match[1].lower())
        elif not line.startswith((" ", "\t")) and not re.match(r"^[\w-]+:", line):
            break
    return len(found) >= 2 and bool(found & {"from", "received", "mime-version", "message-id", "return-path"})


def _is_json(data: bytes) -> bool:
    text = decode(data).text.strip()
    try:
        value = json.loads(text)
    except RecursionError:
        return True
    except ValueError:
        first = text.partition("\n")[0]
        try:
            return isinstance(json.loads(first), dict) and len(first) < len(text)
        except (ValueError, RecursionError):
            return False
    return bool(value) and (isinstance(value, dict) or isinstance(value[0], (dict, list)))


def _by_look(head: str) -> str:
    if re.search(r"^#{1,6} \S", head, re.M):
        return "md"
    lines = [line for line in head.splitlines() if line.strip()][:20]
    for mark, kind in (("\t", "tsv"), (",", "csv"), (";", "csv")):
        counts = {line.count(mark) for line in lines}
        if len(lines) > 2 and len(counts) == 1 and counts.pop() > 0:
            return kind
    return "txt"
