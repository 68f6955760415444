"""The words that the server writes into the page, in Korean and in English; words.py has those of buttons and dialogs."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["ko", "en"]

LANGUAGES: tuple[tuple[str, Language], ...] = (("한국어", "ko"), ("English", "en"))
"""What the switch shows, and the code behind it."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The words of one language. `{n}`-style fields are filled with `str.format`."""

    language: str
    welcome: str
    welcome_hint: str
    samples: str
    retry: str
    copy: str
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
    edit: str
    again: str
    copy_question: str
    up: str
    down: str
    searched_as: str
    cached: str
    space_own: str
    space_shared: str
    chosen: str
    ask_document: str
    examples: str
    examples_unused: str
    low_confidence: str
    suspicious: str
    doubted: str
    took: str
    cut_off: str
    withdrawn: str
    busy: str
    crowded: str
    no_chat: str
    signed_out: str
    sign_in: str
    not_allowed: str
    before: str
    after: str
    picture: str
    picture_text: str
    download: str
    masked: str


KOREAN = Texts(
    language="ko",
    welcome="무엇을 찾아 드릴까요?",
    welcome_hint="사내 문서에서 찾은 근거로만 답하고, 문장마다 출처를 붙입니다.",
    samples="이렇게 물어보세요",
    retry="다시 시도",
    copy="복사",
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
    edit="고치기",
    again="다시 답변",
    copy_question="질문 복사",
    up="도움이 됐어요",
    down="도움이 안 됐어요",
    searched_as="이렇게 찾았습니다: {question}",
    cached="같은 근거로 앞서 드린 답변입니다.",
    space_own="내 파일에서만 찾음",
    space_shared="공유 문서에서만 찾음",
    chosen="고른 문서 {n}개에서만 찾음",
    ask_document="이 문서에 묻기",
    examples="예시 {n}개 반영",
    examples_unused="예시는 인용 답변에 쓰이지 않음",
    low_confidence="질문과 문서의 관련이 낮습니다. 출처를 꼭 확인하세요.",
    suspicious="찾은 문서 {n}곳에 모델을 조종하려는 문장이 있어 무시했습니다. 출처를 확인하고 관리자에게 알려 주세요.",
    doubted="{n}곳에서 AI에게 하는 말일 수 있는 문장을 뺌",
    took="{seconds}초",
    cut_off="답변이 중간에 끊겼습니다. 여기까지 저장되어 있습니다.",
    withdrawn="이 답변이 인용한 문서가 삭제되어 답변을 지웠습니다.",
    busy="이 대화에서 다른 답변을 쓰고 있습니다. 끝날 때까지 기다리거나 멈춘 뒤 다시 물어보세요.",
    crowded="지금 질문이 많습니다. 잠시 후 다시 물어보세요.",
    no_chat="그런 대화가 없습니다. 삭제되었거나 다른 사람의 대화입니다.",
    signed_out="로그인이 끝났습니다. 다시 로그인하면 이어서 쓸 수 있습니다.",
    sign_in="로그인",
    not_allowed="이 계정으로는 할 수 없습니다. 관리자에게 문의해 주세요.",
    before="앞부분",
    after="뒷부분",
    picture="{title}, {page}쪽 그림. 인용한 부분이 칠해져 있습니다.",
    picture_text="원문 글자",
    download="원본 내려받기",
    masked="개인정보는 가려진 상태로 보입니다.",
)

ENGLISH = Texts(
    language="en",
    welcome="What would you like to know?",
    welcome_hint="Answers come only from your organisation's documents, and every statement names its source.",
    samples="Try one of these",
    retry="Retry",
    copy="Copy",
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
    edit="Edit",
    again="Answer again",
    copy_question="Copy question",
    up="Helpful",
    down="Not helpful",
    searched_as="Searched as: {question}",
    cached="Given before, from the same evidence.",
    space_own="my files only",
    space_shared="shared documents only",
    chosen="Looked for in {n} chosen document(s) only",
    ask_document="Ask about this document",
    examples="{n} example(s) shown to the model",
    examples_unused="examples have no effect on quotations",
    low_confidence="The documents match this question only in part. Please check the sources.",
    suspicious="{n} of the passages found tried to give the model instructions, which were ignored. Check the sources and "
    "tell your administrator.",
    doubted="without sentences in {n} of the passages that may address the AI",
    took="{seconds} s",
    cut_off="This answer was cut off. What had come is kept.",
    withdrawn="This answer was removed, because a document that it cited was deleted.",
    busy="Another answer of this chat is being written. Wait for it or stop it, then ask again.",
    crowded="Many questions are being answered. Ask again in a moment.",
    no_chat="There is no such chat. It was deleted, or belongs to someone else.",
    signed_out="You are signed out. Sign in again to go on.",
    sign_in="Sign in",
    not_allowed="Your account may not do this. Ask your administrator.",
    before="Before it",
    after="After it",
    picture="Page {page} of {title}, with the quote highlighted",
    picture_text="The passage as text",
    download="Download the original",
    masked="Personal data is shown masked.",
)


def texts_of(language: str) -> Texts:
    """Return the words of `ko`; English for everything else."""
    return KOREAN if language == "ko" else ENGLISH
