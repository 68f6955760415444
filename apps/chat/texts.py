"""Every word of the chat page, in Korean and in English."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["ko", "en"]

LANGUAGES: tuple[tuple[str, Language], ...] = (("한국어", "ko"), ("English", "en"))
"""What the switch shows, and the code behind it."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The words of one language. `{n}`-style fields are filled with `str.format`."""

    welcome: str
    welcome_hint: str
    samples: str
    placeholder: str
    input_label: str
    send: str
    stop: str
    retry: str
    clear: str
    copy: str
    copied: str
    profile: str
    language: str
    you: str
    assistant: str
    thinking: str
    stopped: str
    sources: str
    open_source: str
    not_found: str
    extractive: str
    answered_by: str
    failed: str
    failed_next: str
    interrupted: str
    passage: str
    close: str
    document: str
    source: str
    page: str
    page_short: str
    heading: str
    quoted: str
    quote_moved: str
    passage_gone: str
    empty: str
    too_long: str
    control: str
    denied: str
    keys: str


KOREAN = Texts(
    welcome="무엇을 찾아 드릴까요?",
    welcome_hint="사내 문서에서 찾은 근거로만 답하고, 문장마다 출처를 붙입니다.",
    samples="이렇게 물어보세요",
    placeholder="문서에 대해 물어보세요",
    input_label="질문",
    send="보내기",
    stop="중지",
    retry="다시 시도",
    clear="새 대화",
    copy="복사",
    copied="복사됨",
    profile="사용자",
    language="언어",
    you="나",
    assistant="답변",
    thinking="문서를 찾고 있습니다",
    stopped="여기서 멈췄습니다.",
    sources="출처",
    open_source="출처 {n} 열기: {title}",
    not_found="근거를 찾지 못했습니다",
    extractive="문서에서 그대로 인용한 답변입니다.",
    answered_by="모델: {model}",
    failed="답변하지 못했습니다",
    failed_next="잠시 후 다시 시도해 주세요. 계속되면 관리자에게 알려 주세요.",
    interrupted="언어 모델이 답변하다가 멈췄습니다. 답변이 완성되지 않았으니 다시 시도해 주세요.",
    passage="출처 원문",
    close="닫기",
    document="문서",
    source="파일",
    page="쪽",
    page_short="{n}쪽",
    heading="위치",
    quoted="인용한 부분",
    quote_moved="문서가 바뀌어 인용한 문장이 더는 이 자리에 없습니다.",
    passage_gone="이 문서는 삭제되었거나 볼 수 있는 권한이 없습니다.",
    empty="질문을 입력해 주세요.",
    too_long="질문이 {n}자입니다. {limit}자 이내로 줄여 주세요.",
    control="보이지 않는 제어 문자가 들어 있습니다. 서식 없이 다시 붙여 넣어 주세요.",
    denied="이 사용자로는 이용할 수 없습니다. 목록에서 다른 사용자를 고르거나 관리자에게 문의해 주세요.",
    keys="Enter 보내기 · Shift+Enter 줄바꿈 · / 입력창으로",
)

ENGLISH = Texts(
    welcome="What would you like to know?",
    welcome_hint="Answers come only from your organisation's documents, and every statement names its source.",
    samples="Try one of these",
    placeholder="Ask about your documents",
    input_label="Question",
    send="Send",
    stop="Stop",
    retry="Retry",
    clear="New chat",
    copy="Copy",
    copied="Copied",
    profile="Signed in as",
    language="Language",
    you="You",
    assistant="Answer",
    thinking="Searching the documents",
    stopped="Stopped here.",
    sources="Sources",
    open_source="Open source {n}: {title}",
    not_found="Nothing found in the documents",
    extractive="Quoted directly from the documents.",
    answered_by="Model: {model}",
    failed="This question could not be answered",
    failed_next="Try again in a moment. If it stays, tell your administrator.",
    interrupted="The language model stopped in the middle of its answer. It is not complete: please retry.",
    passage="Source passage",
    close="Close",
    document="Document",
    source="File",
    page="Page",
    page_short="p. {n}",
    heading="Section",
    quoted="Quoted",
    quote_moved="The document has changed: the quoted sentence is no longer in this place.",
    passage_gone="This document was removed, or you are not allowed to read it.",
    empty="Please write a question.",
    too_long="The question has {n} characters. Please shorten it to {limit}.",
    control="The question contains invisible control characters. Please paste it again as plain text.",
    denied="This user may not use the chat. Choose another one from the list, or ask your administrator.",
    keys="Enter to send · Shift+Enter for a new line · / to focus",
)


def texts_of(language: str) -> Texts:
    """Return the words of `ko`; English for everything else."""
    return KOREAN if language == "ko" else ENGLISH
