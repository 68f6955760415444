"""What is wrong with a field of a request; the English is what pydantic says itself."""

FIELDS: dict[str, tuple[str, str]] = {
    "field.missing": ("Field required", "필요한 값이 빠졌습니다"),
    "field.unknown": ("Extra inputs are not permitted", "모르는 항목입니다"),
    "field.text": ("Input should be a valid string", "글자여야 합니다"),
    "field.text_long": ("String should have at most {most} characters", "{most}자까지 쓸 수 있습니다"),
    "field.text_short": ("String should have at least {least} characters", "{least}자 이상이어야 합니다"),
    "field.integer": ("Input should be a valid integer", "정수여야 합니다"),
    "field.boolean": ("Input should be a valid boolean", "true나 false여야 합니다"),
    "field.choice": ("Input should be {expected}", "다음 가운데 하나여야 합니다: {expected}"),
    "field.least": ("Input should be greater than or equal to {least}", "{least} 이상이어야 합니다"),
    "field.most": ("Input should be less than or equal to {most}", "{most} 이하여야 합니다"),
    "field.list": ("Input should be a valid list", "목록이어야 합니다"),
    "field.list_long": ("List should have at most {most} items after validation, not {count}", "{most}개까지 보낼 수 있습니다"),
    "field.list_short": ("List should have at least {least} items after validation, not {count}", "{least}개 이상이어야 합니다"),
    "field.object": ("Input should be a valid dictionary or object to extract fields from", "JSON 객체여야 합니다"),
    "field.json": ("JSON decode error", "JSON으로 읽을 수 없습니다"),
    "question.missing": (
        "{name} is missing: send the question, or a template whose text is the question",
        "{name}이(가) 빠졌습니다: 질문이나, 글이 질문인 템플릿을 보내 주세요",
    ),
}
