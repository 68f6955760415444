"""What is said of requests: uploads, questions, conversations, templates, models.

English and Korean by code, with the same number of sentences.
"""

from collections.abc import Mapping

REQUESTS: Mapping[str, tuple[str, str]] = {
    "upload.form": (
        "A form (multipart/form-data) with one file in the field `file`, and `groups` where you may choose readers.",
        "`file` 칸에 파일 하나, 읽을 사람을 정할 수 있으면 `groups`를 담은 양식(multipart/form-data).",
    ),
    "upload.most": (
        "At most {most} MiB a file.",
        "파일 하나에 {most} MiB까지 받습니다.",
    ),
    "upload.groups": ("Groups of your tenant: {groups}.", "이 조직의 그룹: {groups}."),
    "upload.space_full": ("Your space holds {count} documents already.", "내 공간에 문서가 이미 {count}개 있습니다."),
    "upload.space_bytes": ("Your space would hold {size} MiB.", "내 공간이 {size} MiB가 됩니다."),
    "upload.most_bytes": ("At most {most} MiB.", "{most} MiB까지 둘 수 있습니다."),
    "upload.too_large": (
        "The file is too large.",
        "파일이 너무 큽니다.",
    ),
    "upload.split": (
        "Split it, or ask your administrator to ingest it.",
        "나누어 올리거나 관리자에게 올려 달라고 하세요.",
    ),
    "upload.kinds": (
        "Allowed are {kinds}.",
        "{kinds} 형식을 받습니다.",
    ),
    "upload.convert": (
        "Convert it to one of them and send it again.",
        "그중 하나로 바꾸어 다시 보내 주세요.",
    ),
    "upload.no_form": (
        "The request is no form.",
        "양식으로 보낸 요청이 아닙니다.",
    ),
    "upload.send_form": (
        "Send the file as a form.",
        "파일을 양식으로 보내 주세요.",
    ),
    "upload.no_file": (
        "The form holds no file.",
        "양식에 파일이 없습니다.",
    ),
    "upload.choose_file": (
        "Choose a file and send it again.",
        "파일을 골라 다시 보내 주세요.",
    ),
    "upload.unreadable": (
        "It cannot be read.",
        "읽을 수 없는 파일입니다.",
    ),
    "upload.form_broken": (
        "The form cannot be read: {reason}",
        "양식을 읽을 수 없습니다: {reason}",
    ),
    "upload.one_file": (
        "Send one file at a time.",
        "파일을 하나씩 보내 주세요.",
    ),
    "document.original_missing": (
        "The original of this document is not kept. Ask whoever has the file.",
        "이 문서의 원본이 없습니다. 파일을 가진 사람에게 물어 보세요.",
    ),
    "job.died": (
        "Given up after {attempts} attempts that did not end. {note} Tell your administrator.",
        "끝나지 않은 시도 {attempts}번 뒤에 그만두었습니다. {note} 관리자에게 알려 주세요.",
    ),
    "job.given_up": ("Given up after {attempts} attempts: {reason}", "{attempts}번 시도한 뒤에 그만두었습니다: {reason}"),
    "job.none": (
        "There is no such job, or none of yours.",
        "그런 작업이 없거나 내 작업이 아닙니다.",
    ),
    "upload.no_group": (
        "There is no group {groups}.",
        "{groups} 그룹이 없습니다.",
    ),
    "upload.choose_group": (
        "Choose among them.",
        "그중에서 골라 주세요.",
    ),
    "upload.most_documents": (
        "At most {most} documents.",
        "문서 {most}개까지 둘 수 있습니다.",
    ),
    "upload.delete_some": (
        "Delete what you do not need.",
        "필요 없는 문서를 지워 주세요.",
    ),
    "answer.stopped": (
        "The answer was stopped before it was complete.",
        "답변이 끝나기 전에 멈췄습니다.",
    ),
    "chat.origin": (
        "A page of another origin may not open a chat.",
        "다른 사이트의 페이지는 대화를 열 수 없습니다.",
    ),
    "chat.other_account": (
        "Somebody else is signed in now. Open the conversation again.",
        "지금은 다른 사람이 로그인해 있습니다. 대화를 다시 여세요.",
    ),
    "chat.too_long": (
        "A message has at most {most} characters. Shorten it.",
        "메시지는 {most}자까지 보낼 수 있습니다. 줄여 주세요.",
    ),
    "chat.pending": (
        "Another answer of this conversation is being written.",
        "이 대화의 다른 답변을 쓰고 있습니다.",
    ),
    "history.too_long": (
        "The history has {count} turns; at most {most} are read. Send the newest turns only.",
        "앞선 대화가 {count}개입니다; {most}개까지 읽습니다. 최근 것만 보내 주세요.",
    ),
    "passage.none": (
        "There is no such passage.",
        "그런 구절이 없습니다.",
    ),
    "template.none": (
        "There is no such template.",
        "그런 템플릿이 없습니다.",
    ),
    "space.unknown": (
        "Unknown space '{space}'. Choose one of: {spaces}.",
        "'{space}'은(는) 공간이 아닙니다. 이 가운데서 골라 주세요: {spaces}.",
    ),
    "documents.too_many": (
        "A question was narrowed to {count} documents; at most {most} are looked through. Choose fewer, or none.",
        "문서를 {count}개 골랐습니다; {most}개까지 고를 수 있습니다. 줄이거나 고르지 마세요.",
    ),
    "documents.no_id": (
        "{id} is no id of a document. GET /api/documents lists them.",
        "{id}은(는) 문서의 id가 아닙니다. GET /api/documents에서 볼 수 있습니다.",
    ),
    "examples.too_many": (
        "There are {count} examples; at most {most} are read. Keep the best ones.",
        "예시가 {count}개입니다; {most}개까지 읽습니다. 좋은 것만 남겨 주세요.",
    ),
    "template.name_taken": (
        "There is a template '/{name}' already. Choose another name.",
        "'/{name}' 템플릿이 이미 있습니다. 다른 이름을 골라 주세요.",
    ),
    "message.none": (
        "There is no such message.",
        "그런 메시지가 없습니다.",
    ),
    "rating.unknown": (
        "Unknown rating '{rating}'. Choose one of: up, down, or empty to take it back.",
        "'{rating}'은(는) 평가가 아닙니다. up이나 down을 고르거나, 비워서 거두어 주세요.",
    ),
    "title.length": (
        "A title has 1 to {most} characters. Shorten it, or write one.",
        "제목은 1자에서 {most}자까지입니다. 줄이거나 써 주세요.",
    ),
    "busy.waited": (
        "Nothing became free within {seconds} s: too many questions are being answered.",
        "{seconds}초 동안 차례가 오지 않았습니다: 지금 질문이 너무 많습니다.",
    ),
    "busy.yours": (
        "{count} of your questions are being answered already.",
        "이미 내 질문 {count}개에 답하고 있습니다.",
    ),
    "busy.all": (
        "Too many questions are being answered.",
        "지금 질문이 너무 많습니다.",
    ),
    "model.stopped": (
        "The model stopped before the answer was complete. What is shown is incomplete: ask again.",
        "답변이 끝나기 전에 모델이 멈췄습니다. 지금 보이는 답변은 완전하지 않습니다: 다시 물어 주세요.",
    ),
    "promotion.no_verdict": (
        "{name} has no verdict. Run the gate: kedro run --pipelines promotion",
        "{name}에는 판정이 없습니다. 게이트를 실행하세요: kedro run --pipelines promotion",
    ),
    "promotion.rejected": (
        "The gate rejected {name}: {reasons}",
        "게이트가 {name}을(를) 거절했습니다: {reasons}",
    ),
    "promotion.champion": (
        "{name} is the champion already. There is nothing to promote.",
        "{name}은(는) 이미 쓰고 있는 모델입니다. 승격할 것이 없습니다.",
    ),
    "promotion.nothing_before": (
        "There is nothing to roll back to: no adapter was ever promoted.",
        "되돌릴 것이 없습니다: 승격한 어댑터가 없습니다.",
    ),
    "model.no_server": (
        "No model server is known. Start one (llmflow serve-llm), or name it in serving.replicas.",
        "알려진 모델 서버가 없습니다. 서버를 시작하거나(llmflow serve-llm) serving.replicas에 적어 주세요.",
    ),
    "reason.missing": (
        "A reason is missing: say why, so that whoever comes later understands it.",
        "까닭이 빠졌습니다: 나중에 보는 사람이 알 수 있게 까닭을 적어 주세요.",
    ),
    "conversation.none": (
        "There is no such conversation in your tenant, or nothing was said in it.",
        "이 조직에 그런 대화가 없거나, 아무 말도 오가지 않았습니다.",
    ),
    "time.malformed": (
        "{text} is no time. Write it in ISO 8601, like 2026-11-25 or 2026-11-25T09:00:00Z.",
        "{text}은(는) 시각이 아닙니다. 2026-11-25 또는 2026-11-25T09:00:00Z처럼 써 주세요.",
    ),
    "export.too_many": (
        "There are more than {most} conversations. Export a shorter period.",
        "대화가 {most}개를 넘습니다. 더 짧은 기간을 내보내 주세요.",
    ),
    "request.too_large": (
        "The request is too large.",
        "요청이 너무 큽니다.",
    ),
    "request.most_here": (
        "At most {most} bytes here.",
        "여기서는 {most}바이트까지 받습니다.",
    ),
    "request.as_described": (
        "Send what the route describes.",
        "주소가 설명하는 대로 보내 주세요.",
    ),
    "request.most": (
        "At most {most} bytes.",
        "{most}바이트까지 받습니다.",
    ),
    "request.less": (
        "Send less at a time.",
        "한 번에 조금씩 보내 주세요.",
    ),
    "session.none": (
        "There is no such session.",
        "그런 대화가 없습니다.",
    ),
    "session.pending": (
        "Another answer of this session is being written. Wait for it, or stop it.",
        "이 대화의 다른 답변을 쓰고 있습니다. 기다리거나 멈춰 주세요.",
    ),
    "answer.none": (
        "There is no such answer.",
        "그런 답변이 없습니다.",
    ),
    "message.none_here": (
        "There is no such message in this session.",
        "이 대화에 그런 메시지가 없습니다.",
    ),
    "message.not_question": (
        "Only a question can be asked again. Name the question before the answer.",
        "질문만 다시 물을 수 있습니다. 답변 앞의 질문을 골라 주세요.",
    ),
    "answer.finished": (
        "This answer is finished already. Ask again to have another.",
        "이 답변은 이미 끝났습니다. 다시 물어 주세요.",
    ),
    "answer.unjudged": (
        "Only an answer that is finished and still there can be judged.",
        "끝났고 남아 있는 답변만 평가할 수 있습니다.",
    ),
    "template.values": (
        "The values do not fit ({faults}). This template's variables are: {variables}.",
        "값이 맞지 않습니다({faults}). 이 템플릿의 변수: {variables}.",
    ),
    "template.value_long": (
        "The value of {name} has {count} characters; at most {most} are filled in. Shorten it.",
        "{name}의 값이 {count}자입니다; {most}자까지 채웁니다. 줄여 주세요.",
    ),
    "question.length": (
        "1 to {most} characters of text; line breaks and tabs are fine.",
        "1자에서 {most}자까지의 글; 줄바꿈과 탭은 괜찮습니다.",
    ),
    "question.empty": (
        "The question is empty.",
        "질문이 비어 있습니다.",
    ),
    "question.write": (
        "Write a question.",
        "질문을 써 주세요.",
    ),
    "question.too_long": (
        "The question has {count} characters.",
        "질문이 {count}자입니다.",
    ),
    "question.shorten": (
        "Shorten the question.",
        "질문을 줄여 주세요.",
    ),
    "question.control": (
        "The question contains control characters.",
        "질문에 제어 문자가 있습니다.",
    ),
    "question.paste": (
        "Remove them, or paste as plain text.",
        "지우거나 서식 없이 붙여 넣어 주세요.",
    ),
    "route.known": (
        "The routes in /openapi.json.",
        "/openapi.json 에 있는 주소.",
    ),
    "route.check": (
        "Check the address and the method.",
        "주소와 메서드를 확인해 주세요.",
    ),
    "server.again": (
        "Try again; if it stays, tell your administrator.",
        "다시 시도하고, 계속되면 관리자에게 알려 주세요.",
    ),
    "server.failed": (
        "Something failed on our side.",
        "서버에서 문제가 생겼습니다.",
    ),
    "server.your_request": (
        "The request was in order.",
        "보낸 요청에는 문제가 없습니다.",
    ),
    "none.allowed": (
        "What exists and is yours to see.",
        "있고, 볼 수 있는 것.",
    ),
    "none.next": (
        "Check the address, or list what there is.",
        "주소를 확인하거나 목록에서 찾아 주세요.",
    ),
    "taken.allowed": (
        "A name that nothing else has.",
        "아무도 쓰지 않는 이름.",
    ),
    "taken.next": (
        "Choose another name.",
        "다른 이름을 골라 주세요.",
    ),
    "pending.allowed": (
        "One answer of a conversation at a time.",
        "한 대화에서는 한 번에 답변 하나.",
    ),
    "pending.next": (
        "Wait for it to end, or stop it.",
        "끝나기를 기다리거나 멈춰 주세요.",
    ),
    "promotion.allowed": (
        "What the gate's verdict allows.",
        "게이트의 판정이 허용하는 것.",
    ),
    "promotion.next": (
        "Look at the verdict; judge the candidate again if it is old.",
        "판정을 보세요; 오래되었으면 후보를 다시 평가하세요.",
    ),
    "busy.allowed": (
        "A little less at a time.",
        "한 번에 조금씩.",
    ),
    "busy.next": (
        "Try again in a few seconds.",
        "몇 초 뒤에 다시 시도해 주세요.",
    ),
    "refused.allowed": (
        "Requests as /openapi.json describes them.",
        "/openapi.json 이 설명하는 요청.",
    ),
    "refused.next": (
        "Correct the request.",
        "요청을 고쳐 주세요.",
    ),
    "away.allowed": (
        "See /healthz for what is available.",
        "지금 되는 것은 /healthz 에 있습니다.",
    ),
    "fields.known": (
        "The fields that /openapi.json describes.",
        "/openapi.json 이 설명하는 항목.",
    ),
    "route.check_short": (
        "Check address and method.",
        "주소와 메서드를 확인해 주세요.",
    ),
}
