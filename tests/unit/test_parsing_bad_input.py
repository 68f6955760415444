"""Hostile, broken and huge files end with a reason for a person or with clean text, nothing else."""

import io
import json
import string
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmflow.errors import DocumentError
from llmflow.ingestion.parsing import ParserSettings, parse_file
from llmflow.ingestion.workers import map_files

SETTINGS = ParserSettings(ocr=False)
CONTENT_TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def reason(folder: Path, name: str, content: bytes, limits: ParserSettings = SETTINGS) -> str:
    path = folder / name
    path.write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        parse_file(path, limits)
    return str(caught.value)


def read_one(path: Path) -> int:
    """Return the elements of a file; module-level so that a worker can run it."""
    return len(parse_file(path, SETTINGS).elements)


def make_zip(members: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["a.txt", "a.pdf", "a.docx", "a.json", "a"])
def test_empty_files(tmp_path: Path, name: str) -> None:
    assert "empty" in reason(tmp_path, name, b"")


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.csv", "a.xml", "a.eml", "a.rst"])
def test_white_space_only(tmp_path: Path, name: str) -> None:
    assert reason(tmp_path, name, b" \n\t\r\n ")


@pytest.mark.parametrize("folder", ["word/document.xml", "xl/workbook.xml", "ppt/presentation.xml"])
def test_office_archives_with_nonsense_inside(tmp_path: Path, folder: str) -> None:
    content = make_zip({"[Content_Types].xml": CONTENT_TYPES, folder: "<nonsense"})
    assert "damaged" in reason(tmp_path, "a.bin", content)


def test_a_truncated_archive(tmp_path: Path) -> None:
    whole = make_zip({"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": string.printable * 500})
    assert "damaged" in reason(tmp_path, "a.docx", whole[: len(whole) // 2])


def test_a_broken_pdf(tmp_path: Path) -> None:
    assert "damaged" in reason(tmp_path, "a.pdf", b"%PDF-1.7\nnothing of a PDF follows")


def test_a_pdf_with_a_password(tmp_path: Path) -> None:
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(tmp_path / "a.pdf"), encrypt="secret")
    canvas.drawString(72, 720, "confidential")
    canvas.save()
    assert "password" in reason(tmp_path, "a.pdf", (tmp_path / "a.pdf").read_bytes())


def test_an_encrypted_workbook(tmp_path: Path) -> None:
    import msoffcrypto.format.ooxml as ooxml
    import openpyxl

    plain, locked = io.BytesIO(), io.BytesIO()
    openpyxl.Workbook().save(plain)
    plain.seek(0)
    ooxml.OOXMLFile(plain).encrypt("secret", locked)
    assert "password" in reason(tmp_path, "a.xlsx", locked.getvalue())


def test_an_encrypted_mail(tmp_path: Path) -> None:
    source = (
        b"From: a@b.c\nSubject: x\nMIME-Version: 1.0\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nMIAG\n"
    )
    assert "encrypted" in reason(tmp_path, "a.eml", source)


def test_a_zip_bomb(tmp_path: Path) -> None:
    bomb = make_zip({"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": b"a" * 120_000_000})
    assert "zip bomb" in reason(tmp_path, "a.docx", bomb)


def test_other_archives_are_refused_with_a_remedy(tmp_path: Path) -> None:
    assert "Unpack" in reason(tmp_path, "a.zip", make_zip({"a.txt": "text"}))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": ', "malformed on line 1"),
        (b'{"a": 1}\n{"b": 2}\n{"c": }\n', "malformed on line 3"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a":' * 150 + b"1" + b"}" * 150, "nested deeper"),
    ],
)
def test_bad_json(tmp_path: Path, content: bytes, expected: str) -> None:
    assert expected in reason(tmp_path, "a.json", content)


def test_deep_html_is_read_and_deeper_html_refused_rather_than_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("<html><body>" + "<div>" * 1500 + "deep" + "</div>" * 1500 + "</body></html>")
    assert parse_file(path, SETTINGS).elements[0].text == "deep"
    deeper = b"<html><body>before" + b"<div>" * 50_000 + b"deep" + b"</div>" * 50_000 + b"</body></html>"
    assert "nested deeper" in reason(tmp_path, "b.html", deeper)


def test_an_entity_bomb(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{number} "{f"&e{number - 1};" * 10 if number else "x" * 100}">' for number in range(9))
    source = f'<?xml version="1.0"?><!DOCTYPE r [{entities}]><r><a>&e8;</a><a>text</a></r>'
    assert "malformed" in reason(tmp_path, "a.xml", source.encode())


@pytest.mark.parametrize(
    ("limits", "content", "expected"),
    [
        (ParserSettings(max_bytes=10), b"eleven bytes", "max_bytes"),
        (ParserSettings(max_characters=10), "열 글자보다 긴 글입니다".encode(), "max_characters"),
        (ParserSettings(max_records=2), b"a,b\n1,2\n3,4\n5,6\n", "max_records"),
    ],
)
def test_limits_say_which_setting_raises_them(tmp_path: Path, limits: ParserSettings, content: bytes, expected: str) -> None:
    assert expected in reason(tmp_path, "a.csv", content, limits)


def test_a_hundred_megabytes_on_one_line_end_within_the_memory_limit(tmp_path: Path) -> None:
    paths = [tmp_path / "english.txt", tmp_path / "korean.txt", tmp_path / "below.txt"]
    paths[0].write_bytes(b"word " * 20_000_000)
    paths[1].write_bytes("가나 ".encode() * 14_000_000)
    paths[2].write_bytes(b"word " * 3_900_000)
    results = dict(map_files(read_one, paths, processes=1, timeout_s=120, memory_bytes=2 * 1024**3))
    assert "max_characters" in (results[paths[0]].error or "")
    assert "max_characters" in (results[paths[1]].error or "")
    assert (results[paths[2]].value or 0) > 900


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "cp949", "euc_kr"]
)
@pytest.mark.parametrize("text", ["연차 휴가 규정 안내문입니다.\n두 번째 줄", "# 안내\n\nMostly English text with 한글 inside."])
def test_encodings_of_korean(tmp_path: Path, encoding: str, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    assert "\n\n".join(element.text for element in parse_file(path, SETTINGS).elements) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("Käse, Brötchen und Übergröße für München", "cp1252"), ("これはテストです。ひらがなとカタカナ", "cp932")],
)
def test_other_encodings(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    assert parse_file(path, SETTINGS).elements[0].text == text


def test_a_few_broken_bytes_are_replaced_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("긴 글입니다. ".encode() * 100 + b"\xff" + "끝".encode())
    document = parse_file(path, SETTINGS)
    assert document.elements[0].text.startswith("긴 글입니다.")
    assert "1 characters could not be decoded" in document.warnings[0]


def test_lone_surrogates_of_json_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"a": "x\ud800y", "b": "\U0001f600"}))
    text = parse_file(path, SETTINGS).elements[0].text
    assert text == "a: xy\nb: \U0001f600"
    assert text.encode()


_NAMES = st.sampled_from(
    ["a.txt", "a.md", "a.html", "a.csv", "a.tsv", "a.json", "a.ndjson", "a.xml", "a.eml", "a.pdf", "a.docx", "a.xlsx", "a"]
)
_STARTS = st.sampled_from(
    [b"", b"%PDF-1.4\n", b"PK\x03\x04", b"<html>", b"<?xml version='1.0'?>", b"{", b"[", b"\xff\xfe", b"From: a\nTo: b\n"]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=_NAMES,
    start=_STARTS,
    body=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))),
)
def test_any_bytes_give_a_document_or_a_reason(tmp_path: Path, name: str, start: bytes, body: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(start + body)
    try:
        document = parse_file(path, SETTINGS)
    except DocumentError as exc:
        assert str(exc).endswith((".", ")"))
    else:
        assert document.elements
        assert document.title
        for element in document.elements:
            assert any(character.isalnum() for character in element.text)
            assert "\x00" not in element.text
            element.text.encode()
