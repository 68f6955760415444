"""A thousand random uploads: no server error, every refusal in three sentences, nothing outside its place."""

import io
import random
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from house import HR, IT, upload
from hypothesis import given
from hypothesis import strategies as st

from llmflow.serving.corpus.doctor import diagnose
from llmflow.serving.corpus.uploads import clean_name, refused
from llmflow.types import DocumentStatus

pytestmark = pytest.mark.xdist_group("operating")  # one house for all

CORPUS = Path(__file__).resolve().parents[2] / "data" / "sample" / "corpus"
UPLOADS = 1000
INGESTED = 15
SEED = 20261125
KEYS = {"error", "allowed", "next"}
NAMES = (
    "보고서.pdf",
    unicodedata.normalize("NFD", "한글 이름.docx"), "../../../etc/passwd", "..\\..\\windows\\system.ini",
    "/etc/shadow",
    "C:\\temp\\a.txt", "a\x00b.pdf", "a\r\nX-Evil: 1.txt", "", ".", "..", "...", "~$lock.docx", ".hidden", " .txt",
    "x" * 5000 + ".md",
    "가" * 400 + ".pdf", "\u202efdp.exe", "\u200b\u200b", "name;rm -rf.md", "a'b\"c.html", "%2e%2e%2fpasswd", "😀.png",
    "no extension",
    "CON", "a/b/c/", "tab\there.csv", "*", "?.txt", "<script>.html", "\ud800.txt", "access.yml",
)  # fmt: skip
TYPES = ("application/pdf", "text/html", "", "image/svg+xml", "x" * 3000, "한글/형식")


def real_files() -> list[Path]:
    """Return one real file of each kind that the sample's builders made."""
    kinds: dict[str, Path] = {}
    for path in sorted(CORPUS.rglob("*")):
        if path.is_file() and path.name != "access.yml":
            kinds.setdefault(path.suffix, path)
    assert len(kinds) >= 8
    return list(kinds.values())


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return out.getvalue()


BOMB = archive({"[Content_Types].xml": b"<Types/>", "word/document.xml": bytes(60 * 1024**2)})
TRAVERSAL = archive({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<d/>", "../../../tmp/evil": b"x"})


def contents(rng: random.Random) -> bytes:
    """Return what somebody might send: real, renamed, cut, changed, hostile or plain noise."""
    files = real_files()
    real = rng.choice(files).read_bytes()
    makers: list[Callable[[], bytes]] = [
        lambda: real,
        lambda: real[: rng.randrange(len(real))],
        lambda: real[rng.randrange(len(real)) :],
        lambda: _flipped(real, rng),
        lambda: rng.randbytes(rng.randrange(1, 4000)),
        lambda: b"",
        lambda: BOMB,
        lambda: TRAVERSAL,
        lambda: archive({f"{rng.random()}": rng.randbytes(50) for _ in range(rng.randrange(5))}),
        lambda: (
            rng.choice(
                (b"PK\x03\x04", b"%PDF-", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
            )
            + rng.randbytes(rng.randrange(600))
        ),
        lambda: b"[" * rng.randrange(1, 100_000),
        lambda: "".join(chr(rng.randrange(1, 0x3000)) for _ in range(rng.randrange(500))).encode("utf-8", "replace"),
        lambda: "문장입니다. ".encode(rng.choice(("utf-8", "utf-16", "euc-kr"))) * rng.randrange(1, 200),
        lambda: b" \n\t" * rng.randrange(1, 50),
    ]
    return rng.choice(makers)()


def _flipped(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 30)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def form(name: str, content: bytes, kind: str, boundary: bytes = b"xx") -> tuple[bytes, dict[str, str]]:
    """Write the form by hand: a client library would clean the name."""
    raw = name.encode("utf-8", "surrogatepass").replace(b'"', b"%22")
    head = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n' % (boundary, raw)
    head += b"Content-Type: " + kind.encode() + b"\r\n\r\n"
    body = head + content + b"\r\n--%s--\r\n" % boundary
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"}


@pytest.fixture(scope="module")
def roomy(house):
    documents = house.operating.documents
    usual = documents.settings
    documents.settings = usual.model_copy(update={"max_documents": 10_000, "max_bytes": 3 * 1024**2})
    yield house
    documents.settings = usual


def test_a_thousand_random_uploads_end_in_202_or_in_three_sentences(roomy):
    house, rng, statuses = roomy, random.Random(SEED), Counter()
    client = house.as_(HR)
    outside = set(Path("/tmp").glob("evil*"))
    for number in range(UPLOADS):
        name = rng.choice(NAMES) if rng.random() < 0.6 else f"{number}.{rng.choice(('pdf', 'docx', 'md', 'png', 'json', 'exe'))}"
        body, headers = form(name, contents(rng), rng.choice(TYPES))
        answer = client.post("/api/documents", content=body, headers=headers)
        statuses[answer.status_code] += 1
        told = answer.json()
        if answer.status_code == 202:
            kept = told["document"]["name"]
            assert kept and kept not in (".", "..") and not set(kept) & set("/\\\x00\r\n") and len(kept) <= 120, (name, kept)
            assert unicodedata.is_normalized("NFC", kept) and not kept.startswith((".", "~$"))
            assert told["document"]["source"] == f"uploads/a-hr/{kept}" and told["document"]["groups"] == ["own space"]
        else:
            assert answer.status_code in (413, 422), (name, answer.status_code, answer.text[:300])
            assert set(told) == KEYS and all(
                isinstance(text, str) and text.endswith((".", "!", "?")) for text in told.values()
            ), told
    assert sum(statuses.values()) == UPLOADS and statuses[202] > 100 and statuses[422] > 100, statuses
    assert set(Path("/tmp").glob("evil*")) == outside
    sources = {document.source for document in house.workspace.stores.state.documents()}
    assert sources and all(source.startswith("uploads/a-hr/") for source in sources)


def test_a_sample_of_them_goes_through_ingestion_and_the_stores_agree(roomy):
    house = roomy
    state = house.workspace.stores.state
    pending = [document for document in state.documents() if document.status is DocumentStatus.PENDING]
    extra = pending[INGESTED:]
    for document in extra:  # the others were looked at when they came
        state.delete([document.id])
    house.operating.work.do_due()
    left = state.documents()
    assert len(left) >= min(INGESTED, len(pending)) and {d.status for d in left} <= {DocumentStatus.READY, DocumentStatus.FAILED}
    assert any(d.status is DocumentStatus.READY for d in left)
    assert all(len(d.reason) > 20 and d.reason.rstrip().endswith((".", "!")) for d in left if d.status is DocumentStatus.FAILED)
    assert diagnose(house.workspace.stores).ok


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 422),
        (b"{}", {"Content-Type": "application/json"}, 422),
        (b"x", {"Content-Type": "multipart/form-data"}, 422),
        (b"--b\r\n\r\n", {"Content-Type": "multipart/form-data; boundary=b"}, 422),
        (
            b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
            {"Content-Type": "multipart/form-data; boundary=b"},
            422,
        ),
        (b"--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}, 422),
        (
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nno file\r\n--b--\r\n',
            {"Content-Type": "multipart/form-data; boundary=b"},
            422,
        ),
        (b"--b\r\n" + b"X-" + b"y" * 100_000 + b": z\r\n\r\n", {"Content-Type": "multipart/form-data; boundary=b"}, 422),
        (b"--b\r\n" + b"X: 1\r\n" * 20_000, {"Content-Type": "multipart/form-data; boundary=b"}, 422),
        (b"x", {"Content-Type": "multipart/form-data; boundary=" + "b" * 5000}, 422),
        (b"x", {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": "99999999999"}, 413),
    ],
)
def test_what_is_no_form_of_one_file_is_refused(roomy, body, headers, status):
    answer = roomy.as_(IT).post("/api/documents", content=body, headers=headers)
    assert answer.status_code == status and set(answer.json()) == KEYS, answer.text[:300]


def test_two_files_at_once_are_refused(roomy):
    files = [("file", ("a.md", b"# A")), ("file", ("b.md", b"# B"))]
    answer = roomy.as_(IT).post("/api/documents", files=files)
    assert answer.status_code == 422 and "one file" in answer.json()["next"]


def test_nothing_is_read_past_the_limit(roomy):
    sent = 0

    def endless():
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        while sent < 64 * 1024**2:
            sent += 1 << 16
            yield b"a" * (1 << 16)

    headers = {"Content-Type": "multipart/form-data; boundary=b", "Transfer-Encoding": "chunked"}
    answer = roomy.as_(IT).post("/api/documents", content=endless(), headers=headers)
    assert answer.status_code == 413 and set(answer.json()) == KEYS and "3.0 MiB" in answer.json()["allowed"]


def test_nobody_uploads_without_signing_in_and_nothing_is_read(roomy):
    assert upload(roomy.nobody, "a.md", b"# A").status_code == 401


@given(st.text(max_size=300))
def test_any_name_becomes_a_safe_one_and_stays_it(name):
    safe = clean_name(name, 120)
    assert safe and safe not in (".", "..") and len(safe) <= 120
    assert not any(unicodedata.category(c)[0] == "C" or c in "/\\" for c in safe)
    assert clean_name(safe, 120) == safe


@given(st.text(max_size=300))
def test_any_reason_becomes_three_sentences(reason):
    detail = refused(reason or "x").detail
    assert set(detail) == KEYS and all(detail.values())
