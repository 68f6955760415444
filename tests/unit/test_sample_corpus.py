"""The sample corpus is what its sources, its access rules and its judged questions say."""

# python-pptx types a shape by its base class and a placeholder as optional.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false

import csv
import io
import json
import shutil
import subprocess
import sys
from collections import Counter
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest
import yaml

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
CORPUS = SAMPLE / "corpus"
SCAN = "hanbit/finance/vendor_registration_scan.pdf"
QUESTIONS = [json.loads(line) for line in (SAMPLE / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
PII = json.loads((SAMPLE / "pii_expected.json").read_text(encoding="utf-8"))
ACCESS = yaml.safe_load((CORPUS / "access.yml").read_text(encoding="utf-8"))
FILES = sorted(path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*.*") if path.name != "access.yml")
AT_LEAST = {"single": 30, "multi": 20, "table": 12, "cross_language": 10, "permission": 12, "unanswerable": 14}


def words(text: str) -> str:
    return " ".join(text.split())


def docx_units(holder) -> list[str]:
    units = [paragraph.text for paragraph in holder.paragraphs]
    for table in holder.tables:
        for row in table.rows:
            for cell in row.cells:
                units += docx_units(cell)
    return units


def pptx_units(path: Path) -> list[str]:
    from pptx import Presentation

    units = []
    for slide in Presentation(str(path)).slides:
        for shape in slide.shapes:
            if shape.has_text_frame:
                units += [paragraph.text for paragraph in shape.text_frame.paragraphs]
            if shape.has_table:
                units += [cell.text for row in shape.table.rows for cell in row.cells]
        if slide.has_notes_slide:
            units.append(slide.notes_slide.notes_text_frame.text)
    return units


def pdf_pages(path: Path) -> list[str]:
    import pypdfium2

    with pypdfium2.PdfDocument(path) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def ocr_lines() -> list[str]:
    import pypdfium2

    if not shutil.which("tesseract") or "kor" not in subprocess.check_output(["tesseract", "--list-langs"], text=True):
        pytest.skip("The scanned page is read by tesseract, which is not installed or has no Korean.")
    with pypdfium2.PdfDocument(CORPUS / SCAN) as document:
        picture = io.BytesIO()
        document[0].render(scale=3).to_pil().save(picture, "PNG")
    run = ["tesseract", "-", "-", "-l", "kor+eng"]
    return subprocess.run(run, input=picture.getvalue(), capture_output=True, check=True).stdout.decode().splitlines()


def html_units(html: str) -> list[str]:
    from lxml import html as parser

    root = parser.fromstring(html)
    for script in root.findall(".//script"):
        script.drop_tree()
    return [element.text for element in root.iter() if element.text]


@cache
def units(name: str) -> tuple[str, ...]:
    """Return the lines, cells or values of a file with single spaces: what no parser has a reason to tear apart."""
    path = CORPUS / name
    if name == SCAN:
        found = ocr_lines()
    elif path.suffix == ".pdf":
        found = "\n".join(pdf_pages(path)).splitlines()
    elif path.suffix == ".docx":
        import docx

        found = docx_units(docx.Document(str(path)))
    elif path.suffix == ".pptx":
        found = pptx_units(path)
    elif path.suffix == ".xlsx":
        import openpyxl

        found = [str(cell) for sheet in openpyxl.load_workbook(path) for row in sheet.values for cell in row]
    elif path.suffix == ".csv":
        found = [cell for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))) for cell in row]
    elif path.suffix == ".json":
        found = [value for record in json.loads(path.read_text(encoding="utf-8")) for value in record.values()]
    elif path.suffix == ".eml":
        import email
        from email import policy

        message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
        body = message.get_content()
        found = html_units(body) if message.get_content_type() == "text/html" else body.splitlines()
        found += [f"{key}: {value}" for key, value in message.items()]
    else:
        text = decoded(path.read_bytes())
        found = html_units(text) if path.suffix == ".html" else text.splitlines()
    return tuple(words(unit) for unit in found)


def decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp949")


def contains(name: str, text: str) -> bool:
    return any(words(text) in unit for unit in units(name))


def grant(name: str) -> dict | None:
    return next((rule for rule in ACCESS["rules"] if fnmatchcase(name, rule["path"])), None)


def may_read(question: dict, name: str) -> bool:
    rule = grant(name) or ACCESS["default"]
    return rule["tenant"] == question["tenant"] and bool({"*", *question["groups"]} & set(rule["groups"]))


def of_kind(*kinds: str) -> list:
    return [pytest.param(question, id=question["id"]) for question in QUESTIONS if question["kind"] in kinds]


def test_there_are_enough_files_in_every_format() -> None:
    formats = Counter(name.rsplit(".", 1)[1] for name in FILES)
    assert len(FILES) >= 28
    assert set(formats) == {"pdf", "docx", "pptx", "xlsx", "html", "md", "txt", "csv", "json", "eml"}
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*.*")) < 3_000_000


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".pdf") and name != SCAN])
def test_a_digital_pdf_has_three_pages_of_text(name: str) -> None:
    pages = pdf_pages(CORPUS / name)
    assert len(pages) >= 3
    assert all(len(page) > 150 for page in pages)


def test_the_scanned_page_has_no_text_layer_and_can_be_read() -> None:
    assert pdf_pages(CORPUS / SCAN) == [""]
    assert contains(SCAN, "거래처 등록 신청서")
    assert contains(SCAN, "Payment is made 45 days after the tax invoice")


def test_some_texts_are_in_cp949_only() -> None:
    for name in ("hanbit/it/groupware_maintenance.txt", "hanbit/shared/office_guide.txt"):
        with pytest.raises(UnicodeDecodeError):
            (CORPUS / name).read_bytes().decode("utf-8")


def test_every_file_is_granted_by_a_rule_of_its_own_folder() -> None:
    for name in FILES:
        tenant, department, _ = name.split("/")
        rule = grant(name)
        assert rule is not None, f"{name}: no rule of access.yml matches"
        assert rule["tenant"] == tenant, name
        assert rule["groups"] == (["*"] if department == "shared" else [department]), name


def test_every_rule_matches_a_file() -> None:
    used = {rule["path"] for name in FILES if (rule := grant(name))}
    assert used == {rule["path"] for rule in ACCESS["rules"]}


def test_there_are_enough_questions_of_every_kind() -> None:
    kinds = Counter(question["kind"] for question in QUESTIONS)
    assert kinds.keys() == AT_LEAST.keys()
    assert all(kinds[kind] >= count for kind, count in AT_LEAST.items()), kinds
    assert len(QUESTIONS) >= 96


def test_questions_are_well_formed_and_unlike() -> None:
    fields = {"id", "text", "language", "kind", "tenant", "groups", "answer", "evidence", "forbidden"}
    assert all(question.keys() == fields and question["language"] in ("ko", "en") for question in QUESTIONS)
    assert len({question["id"] for question in QUESTIONS}) == len(QUESTIONS)
    assert len({(question["tenant"], question["text"]) for question in QUESTIONS}) == len(QUESTIONS)


@pytest.mark.parametrize("question", of_kind("single", "multi", "table", "cross_language"))
def test_evidence_is_quoted_verbatim_and_readable_by_the_asker(question: dict) -> None:
    assert question["answer"]
    assert question["evidence"]
    for item in question["evidence"]:
        assert item["source"] in FILES
        assert len(item["quote"]) >= 8
        assert contains(item["source"], item["quote"]), f"{item['source']} has no line or cell with '{item['quote']}'"
        assert may_read(question, item["source"])


@pytest.mark.parametrize("question", of_kind("multi"))
def test_a_chain_cannot_be_answered_from_its_first_document(question: dict) -> None:
    evidence = question["evidence"]
    assert 2 <= len(evidence) <= 3
    assert evidence[0]["source"] != evidence[-1]["source"]
    assert not contains(evidence[0]["source"], evidence[-1]["quote"])
    assert not contains(evidence[0]["source"], question["answer"])


@pytest.mark.parametrize("question", of_kind("cross_language"))
def test_a_cross_language_question_is_asked_in_the_other_language(question: dict) -> None:
    quote = question["evidence"][0]["quote"]
    korean = any("가" <= letter <= "힣" for letter in quote)
    assert korean == (question["language"] == "en")


@pytest.mark.parametrize("question", of_kind("permission"))
def test_a_permission_question_names_documents_the_asker_may_not_read(question: dict) -> None:
    assert question["answer"] is None
    assert question["evidence"] == []
    assert question["forbidden"]
    for name in question["forbidden"]:
        assert name in FILES
        assert not may_read(question, name), name


@pytest.mark.parametrize("question", of_kind("unanswerable"))
def test_an_unanswerable_question_has_no_evidence(question: dict) -> None:
    assert (question["answer"], question["evidence"], question["forbidden"]) == (None, [], [])


def test_no_question_repeats_personal_data() -> None:
    asked = json.dumps(QUESTIONS, ensure_ascii=False)
    assert [secret for secret in PII["secrets"] if secret in asked] == []


def test_every_secret_stands_in_the_corpus() -> None:
    missing = [secret for secret in PII["secrets"] if not any(contains(name, secret) for name in FILES)]
    assert missing == []


def test_expected_personal_data_covers_every_kind_and_fits_the_files() -> None:
    kinds = {kind for counts in PII["files"].values() for kind in counts}
    assert kinds == {"RRN", "FOREIGNER", "PHONE", "EMAIL", "CARD", "BUSINESS", "PASSPORT", "DRIVER", "ACCOUNT", "NAME"}
    for name, counts in PII["files"].items():
        assert name in FILES
        standing = [secret for secret in PII["secrets"] if contains(name, secret)]
        assert len(standing) >= sum(counts.values()), name


def test_look_alikes_stand_in_their_files_and_are_no_secrets() -> None:
    assert len(PII["keep"]) >= 5
    for name, literals in PII["keep"].items():
        assert [literal for literal in literals if not contains(name, literal)] == []
        assert not set(literals) & set(PII["secrets"])


def test_the_two_companies_pay_different_allowances() -> None:
    own, other = "hanbit/hr/condolence_allowance.pdf", "nuri/hr/condolence_allowance.docx"
    assert contains(own, "1,000,000원 지급") and not contains(other, "1,000,000원")
    assert contains(other, "700,000원 지원") and not contains(own, "700,000원")


def test_the_corpus_is_what_the_sources_say() -> None:
    pytest.importorskip("reportlab", reason="building needs the dev extra")
    if not Path("/usr/share/fonts/truetype/nanum/NanumGothic.ttf").exists():
        pytest.skip("Building needs the fonts of Debian's fonts-nanum.")
    done = subprocess.run([sys.executable, str(SAMPLE / "build.py"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
