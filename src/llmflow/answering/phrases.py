"""What the answerer says in words of its own, in Korean and English."""

from llmflow.types import Space

NOT_FOUND = {
    "ko": "읽을 수 있는 문서에서 이 질문의 답을 찾지 못했습니다. 다른 말로 물어보거나 담당 부서에 문의해 주세요.",
    "en": "I found nothing about this in the documents that you may read. Try other words or ask the team in charge.",
}
LOOKED_ONLY = {
    Space.OWN: {
        "ko": "내 파일에서만 찾았습니다. 전체 문서에서 찾으려면 범위를 바꾸세요.",
        "en": "Only your own files were searched. Choose all documents to search everything that you may read.",
    },
    Space.SHARED: {
        "ko": "함께 쓰는 문서에서만 찾았습니다. 내 파일도 찾으려면 범위를 바꾸세요.",
        "en": "Only shared documents were searched. Choose all documents to search your own files too.",
    },
}
"""Said beside NOT_FOUND where a question was narrowed."""
CHOSEN_ONLY = {
    "ko": "고른 문서에서만 찾았습니다. 다른 문서에서도 찾으려면 문서 선택을 푸세요.",
    "en": "Only the chosen documents were searched. Take the choice back to search everything that you may read.",
}
"""Said there where it was narrowed to documents, whether they are there and may be read or not."""
MODEL_AWAY = {
    "ko": "지금 언어 모델에 연결할 수 없어 문서의 문장을 그대로 보여 드립니다.",
    "en": "The language model cannot be reached now, so sentences of the documents are quoted as they are.",
}
SEARCH_AWAY = {
    "ko": "지금 검색 모델의 일부에 연결할 수 없어 찾지 못한 문서가 있을 수 있습니다.",
    "en": "Part of the search models cannot be reached now, so documents may be missing.",
}
EARLIER = {
    "ko": "이 대화에서 앞서 오간 내용의 요약(근거가 아님):",
    "en": "Summary of what was said before in this conversation (no evidence):",
}


def nothing_found(spoken: str, space: Space, chosen: bool = False) -> str:
    """Return what is said where nothing was found, and where it was looked for unless it was everywhere."""
    where = CHOSEN_ONLY[spoken] if chosen else LOOKED_ONLY.get(space, {}).get(spoken, "")
    return f"{NOT_FOUND[spoken]} {where}".strip()
