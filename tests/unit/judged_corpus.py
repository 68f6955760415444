"""A handful of served documents, prepared as ingestion prepares them, for tests of what is made from them."""

from functools import cache

from llmflow.ingestion.prepare import PreparationSettings, prepare_document
from llmflow.ports import PreparedDocument, SourceFile
from llmflow.types import Document, DocumentStatus, Element, ElementKind, ParsedDocument

SETTINGS = PreparationSettings()

SYSTEMS = """| 시스템 | 담당 팀 | 점검 요일 |
| --- | --- | --- |
| 구름창고 | 자료관리팀 | 수요일 |
| 바람결재 | 업무지원팀 | 금요일 |"""
CONTACTS = "팀 이름: 자료관리팀\n내선: 4410\n자리: 본관 3층\n\n팀 이름: 업무지원팀\n내선: 4520\n자리: 별관 1층"
LEAVE = "연차는 한 해 15일까지 쓸 수 있고, 남은 연차는 넘어가지 않는다. 반차란 근무일의 절반을 쉬는 휴가를 말한다."
ENGLISH = "Visitor badges are valid for 12 hours at most. An escort means a member of staff who stays with the visitor."
PAY = "| 직급 | 기본급 |\n| --- | --- |\n| 선임연구원 | 월 520만 원 |\n| 책임연구원 | 월 690만 원 |"
COSTS = "| 시스템 | 연간 비용 |\n| --- | --- |\n| 구름창고 | 3천만 원 |\n| 햇살메일 | 5백만 원 |"
SECRET = "담당자 전화: 010-2345-6789\n상담은 한 달에 2회까지 신청할 수 있다."

FILES: tuple[tuple[str, str, tuple[str, ...], str, ElementKind, str], ...] = (
    ("systems.md", "시스템 목록", ("*",), "시스템 현황", ElementKind.TABLE, SYSTEMS),
    ("contacts.csv", "연락처", ("*",), "", ElementKind.RECORD, CONTACTS),
    ("leave.md", "휴가 규정", ("hr",), "연차와 반차", ElementKind.TEXT, LEAVE),
    ("visitors.md", "Visitor rules", ("*",), "Badges", ElementKind.TEXT, ENGLISH),
    ("pay.md", "급여표", ("finance",), "직급별 기본급", ElementKind.TABLE, PAY),
    ("costs.md", "시스템 비용", ("*",), "비용 현황", ElementKind.TABLE, COSTS),
    ("counsel.md", "상담 안내", ("hr",), "신청", ElementKind.TEXT, SECRET),
)


def served_document(
    source: str, title: str, groups: tuple[str, ...], heading: str, kind: ElementKind, text: str, tenant: str = "acme"
) -> tuple[Document, PreparedDocument]:
    elements = [Element(ElementKind.TITLE, title, level=1)]
    elements += [Element(ElementKind.TITLE, heading, level=2)] if heading else []
    parsed = ParsedDocument(title, "md", (*elements, Element(kind, text)))
    file = SourceFile(f"{tenant}/{source}", tenant, groups, source, "", "hash", len(text), "v1", "f1")
    prepared = prepare_document(parsed, file, SETTINGS)
    document = Document(
        file.document_id, tenant, groups, source, title, "md", DocumentStatus.READY, "v1", chunks=len(prepared.chunks)
    )
    return document, prepared


@cache
def served() -> tuple[tuple[Document, PreparedDocument], ...]:
    return tuple(served_document(*file) for file in FILES)
