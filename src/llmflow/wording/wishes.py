"""What llmflow says of questions and how they are asked: wishes, feedback, requests of OpenAI's clients, what is promoted."""

WISHES: dict[str, tuple[str, str]] = {
    "instructions.too_long": (
        "The instructions (system messages) have {count} characters; at most {most} are read. Say only what form the answer "
        "should "
        "have.",
        "지시(system 메시지)가 {count}자입니다; {most}자까지 읽습니다. 답변의 형식만 말해 주세요.",
    ),
    "instructions.name": ("instructions", "지시"),
    "examples.name": ("example", "예시"),
    "examples.too_long": (
        "The examples have {count} characters together; at most {most} are read. Shorten them, or leave some out.",
        "예시가 모두 {count}자입니다; {most}자까지 읽습니다. 줄이거나 몇 개를 빼 주세요.",
    ),
    "examples.empty": (
        "An example has an empty question or answer. Fill it in, or leave it out.",
        "질문이나 답이 빈 예시가 있습니다. 채우거나 빼 주세요.",
    ),
    "wishes.control": (
        "The {name} text contains control characters. Remove them; line breaks and tabs are fine.",
        "{name}에 제어 문자가 들어 있습니다. 지워 주세요; 줄바꿈과 탭은 괜찮습니다.",
    ),
    "remark.reason": ("reason", "이유"),
    "remark.correction": ("correction", "올바른 답"),
    "remark.too_long": (
        "The {name} has {count} characters; at most {most} are kept. Shorten it.",
        "{name}이(가) {count}자입니다; {most}자까지 남습니다. 줄여 주세요.",
    ),
    "chat.not_understood": (
        "This message is not understood. Send JSON such as {allowed}.",
        "알아들을 수 없는 메시지입니다. 이런 JSON을 보내 주세요: {allowed}.",
    ),
    "chat.none": ("There is no such conversation.", "그런 대화가 없습니다."),
    "document.none": (
        "There is no such document, or none that you may see.",
        "그런 문서가 없거나 볼 수 없는 문서입니다.",
    ),
    "template.twice": (
        "Names stand twice in the file: {names}. Give each template a name of its own.",
        "파일에 같은 이름이 두 번 있습니다: {names}. 템플릿마다 다른 이름을 주세요.",
    ),
    "template.not_shared": (
        "A {role} may not share templates. Keep it to yourself, or ask an engineer to share it.",
        "{role} 역할은 템플릿을 나눌 수 없습니다. 혼자 쓰거나, 엔지니어에게 나눠 달라고 해 주세요.",
    ),
    "completion.tools": (
        "Messages of tools are not supported: no tools are called here.",
        "도구 메시지는 지원하지 않습니다: 여기서는 도구를 부르지 않습니다.",
    ),
    "completion.last": (
        "The last message must be the user's question.",
        "마지막 메시지는 사용자의 질문이어야 합니다.",
    ),
    "completion.pairs": (
        "Examples come in pairs: a message named example_user, then one named example_assistant.",
        "예시는 짝을 이룹니다: 이름이 example_user인 메시지 다음에 example_assistant인 메시지가 옵니다.",
    ),
    "completion.model": (
        "The model `{name}` does not exist or you do not have access to it. Name `{known}`.",
        "`{name}` 모델이 없거나 쓸 수 없습니다. `{known}`(으)로 적어 주세요.",
    ),
    "completion.unsupported": (
        "Unsupported value: '{name}'. Answers are one text with citations.",
        "지원하지 않는 값입니다: '{name}'. 답변은 출처가 붙은 글 하나입니다.",
    ),
    "promotion.verdict_on": (
        "The verdict is on {found}, not on {wanted}.",
        "이 판정은 {wanted}이(가) 아니라 {found}에 대한 것입니다.",
    ),
    "promotion.verdict_other": (
        "The verdict kept with {name} is on {found}. Run the gate again.",
        "{name}에 남은 판정은 {found}에 대한 것입니다. 게이트를 다시 실행하세요.",
    ),
    "promotion.stale": (
        "The gate held {name} against {champion}, but {served} is served now. Run the gate again.",
        "게이트는 {name}을(를) {champion}과(와) 견주었는데, 지금은 {served}을(를) 쓰고 있습니다. 게이트를 다시 실행하세요.",
    ),
    "promotion.unjudged": (
        "The gate has not judged '{name}'. Judged: {judged}. Run: llmflow retrieval gate --candidate {name}",
        "게이트가 '{name}'을(를) 판정하지 않았습니다. 판정한 것: {judged}. 실행하세요: llmflow retrieval gate --candidate {name}",
    ),
    "promotion.busy": (
        "'{key}' was changed by others {count} times in a row. Try again.",
        "다른 사람이 '{key}'을(를) {count}번 잇달아 바꿨습니다. 다시 해 주세요.",
    ),
}
