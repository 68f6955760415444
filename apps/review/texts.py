"""Every word of the review page, in Korean and in English."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Texts:
    title: str
    by: str
    by_missing: str
    show: str
    shown: dict[str, str]
    template: str
    every: str
    progress: str
    nothing: str
    question: str
    answer: str
    answer_hint: str
    unanswerable: str
    forbidden: str
    evidence: str
    asker: str
    everyone: str
    made_by: str
    note: str
    accept: str
    accept_edited: str
    reject: str
    back: str
    forward: str
    undo: str
    decided: str
    keys: str
    empty_question: str


KOREAN = Texts(
    title="질문 검토",
    by="검토자",
    by_missing="검토자 이름을 적으면 결정할 수 있습니다.",
    show="보기",
    shown={"generated": "남은 질문", "all": "전체", "reviewed": "승인됨", "rejected": "거절됨"},
    template="만든 방법",
    every="전체",
    progress="{done} / {total} 검토함 · 승인 {accepted} · 거절 {rejected}",
    nothing="여기에는 질문이 없습니다.",
    question="질문",
    answer="기대 답",
    answer_hint="비워 두면 근거만으로 채점합니다.",
    unanswerable="답이 없어야 하는 질문입니다. 읽을 수 있는 문서에 정말 답이 없는지 확인하십시오.",
    forbidden="이 사람에게 보이면 안 되는 문서: {sources}",
    evidence="근거",
    asker="묻는 사람: {tenant} · {groups}",
    everyone="모든 부서",
    made_by="{template} · {generator} · {date}",
    note="메모",
    accept="승인",
    accept_edited="고친 대로 승인",
    reject="거절",
    back="이전",
    forward="다음",
    undo="결정 취소",
    decided="{decision} · {by} · {at}",
    keys="입력란 밖에서 A, X, N, P, U 키를 쓸 수 있습니다. 고친 글은 입력란을 벗어나면 반영됩니다.",
    empty_question="질문이 비어 있습니다.",
)
ENGLISH = Texts(
    title="Review questions",
    by="Reviewer",
    by_missing="Write down who reviews before you decide.",
    show="Show",
    shown={"generated": "To review", "all": "All", "reviewed": "Accepted", "rejected": "Rejected"},
    template="Made from",
    every="everything",
    progress="{done} of {total} reviewed · {accepted} accepted · {rejected} rejected",
    nothing="There is no question here.",
    question="Question",
    answer="Expected answer",
    answer_hint="Left empty, the evidence alone decides.",
    unanswerable="This question must have no answer. Make sure that no readable document holds one.",
    forbidden="Documents that this person must not be shown: {sources}",
    evidence="Evidence",
    asker="Asked by: {tenant} · {groups}",
    everyone="every department",
    made_by="{template} · {generator} · {date}",
    note="Note",
    accept="Accept",
    accept_edited="Accept as edited",
    reject="Reject",
    back="Back",
    forward="Next",
    undo="Undo",
    decided="{decision} · {by} · {at}",
    keys="The keys A, X, N, P, U work outside the text fields. An edit counts once you leave its field.",
    empty_question="The question is empty.",
)
LANGUAGES = {"한국어": KOREAN, "English": ENGLISH}
