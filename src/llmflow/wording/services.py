"""What llmflow says of servers around it: databases, indexes, model servers, the identity provider."""

SERVICES: dict[str, tuple[str, str]] = {
    "database.busy": (
        "All connections to the database {address} are in use. Try again in a moment.",
        "데이터베이스 {address}의 연결을 모두 쓰고 있습니다. 잠시 뒤에 다시 해 주세요.",
    ),
    "database.failed": (
        "The database {address} failed: {reason}. Check that it is reachable and writable.",
        "데이터베이스 {address}에서 문제가 생겼습니다: {reason}. 연결되고 쓸 수 있는지 확인해 주세요.",
    ),
    "graph.away": (
        "The graph database {address} cannot be used: {reason}. Check that the path is writable and not full, or that the server "
        "runs and accepts the account; then try again.",
        "그래프 데이터베이스 {address}을(를) 쓸 수 없습니다: {reason}. 경로에 쓸 수 있고 공간이 남았는지, 또는 서버가 켜져 "
        "있고 계정을 받아들이는지 "
        "확인한 뒤 다시 해 주세요.",
    ),
    "text_index.broken": (
        "The full-text index at {path} cannot be opened: {reason}. Run `llmflow doctor --repair` to rebuild it from the state "
        "database.",
        "{path}의 전문 색인을 열 수 없습니다: {reason}. `llmflow doctor --repair`로 상태 데이터베이스에서 다시 만드세요.",
    ),
    "text_index.held": (
        "The full-text index at {path} is being written by another process.",
        "{path}의 전문 색인에 다른 프로세스가 쓰고 있습니다.",
    ),
    "milvus.away": (
        "Milvus at {address} cannot be reached: {reason}. Check the address and that the server runs.",
        "{address}의 Milvus에 연결할 수 없습니다: {reason}. 주소와 서버가 켜져 있는지 확인해 주세요.",
    ),
    "milvus.failed": (
        "Milvus at {address} failed while {doing}: {reason}. Check that the server runs.",
        "{address}의 Milvus에서 문제가 생겼습니다({doing}): {reason}. 서버가 켜져 있는지 확인해 주세요.",
    ),
    "milvus.failed_here": (
        "Milvus at {address} failed while {doing}: {reason}. See {address}.log.",
        "{address}의 Milvus에서 문제가 생겼습니다({doing}): {reason}. {address}.log를 살펴 주세요.",
    ),
    "queue.failed": (
        "The {where} failed: {reason}. Check that it is reachable and writable.",
        "{where}에서 문제가 생겼습니다: {reason}. 연결되고 쓸 수 있는지 확인해 주세요.",
    ),
    "queue.redis": ("Redis server of the job queue", "작업 대기열의 Redis 서버"),
    "queue.file": ("job queue {path}", "작업 대기열 {path}"),
    "lock.held": (
        "Another {work} has held {path} for {seconds} s. Wait for it to end, or stop it.",
        "다른 {work} 작업이 {seconds}초 동안 {path}을(를) 쓰고 있습니다. 끝날 때까지 기다리거나 멈춰 주세요.",
    ),
    "model.away": (
        "The chat model {model} at {address} did not answer: {reason}. Check that the server runs and serves that name, or "
        "remove "
        "chat_model from the environment's catalog.",
        "{address}의 언어 모델 {model}이(가) 답하지 않았습니다: {reason}. 서버가 켜져 있고 그 이름을 제공하는지 확인하거나, "
        "환경의 카탈로그에서 "
        "chat_model을 빼 주세요.",
    ),
    "model.interrupted": (
        "The chat model {model} at {address} stopped in the middle of its answer ({reason}). What is shown is incomplete: ask "
        "again.",
        "{address}의 언어 모델 {model}이(가) 답변하다가 멈췄습니다({reason}). 지금 보이는 답변은 완전하지 않습니다: 다시 물어 "
        "주세요.",
    ),
    "model.refused": ("it refused the request ({reason})", "요청을 거절했습니다({reason})"),
    "model.ended_early": ("the stream ended early", "답변이 도중에 끊겼습니다"),
    "model.unknown": (
        "The server at {address} does not serve {model}. Check the name, or bring the server to what is promoted: llmflow models "
        "sync",
        "{address}의 서버는 {model}을(를) 제공하지 않습니다. 이름을 확인하거나, 승격한 것을 서버에 맞추세요: llmflow models sync",
    ),
    "model.prompt_too_long": (
        "The prompt and {tokens} tokens of answer do not fit {model}.",
        "질문과 근거에 답변 {tokens}토큰을 더하면 {model}에 들어가지 않습니다.",
    ),
    "model.none_served": (
        "No chat model is served. Start one: llmflow serve-llm",
        "제공하는 언어 모델이 없습니다. 시작하세요: llmflow serve-llm",
    ),
    "model.none_answers": (
        "None of {addresses} answers. Start it: llmflow serve-llm",
        "{addresses} 가운데 답하는 서버가 없습니다. 시작하세요: llmflow serve-llm",
    ),
    "model_server.away": (
        "The {what} at {address} cannot be used: {reason}. Check that the server runs there and serves this model, or choose "
        "another backend for it in the environment's catalog.yml.",
        "{address}의 {what}을(를) 쓸 수 없습니다: {reason}. 서버가 켜져 있고 이 모델을 제공하는지 확인하거나, 환경의 "
        "catalog.yml에서 다른 backend를 "
        "고르세요.",
    ),
    "model_server.rests": (
        "it is left alone for {seconds} s after it did not answer in time",
        "제때 답하지 않아 {seconds}초 동안 묻지 않습니다",
    ),
    "model_server.slow": ("no answer in time", "제때 답하지 않았습니다"),
    "model_server.status": ("status {status}: {text}", "상태 {status}: {text}"),
    "model_server.no_json": ("the answer is no JSON", "답이 JSON이 아닙니다"),
    "model.other_base": (
        "{name} belongs to the base {base}, but the servers serve another model: its answers would be noise. Serve its own "
        "base, or "
        "train on this one.",
        "{name}은(는) {base} 기반의 어댑터인데 서버는 다른 모델을 제공합니다: 답변이 엉망이 됩니다. 맞는 기반 모델을 "
        "제공하거나 이 모델로 다시 학습하세요.",
    ),
    "model.not_loaded": (
        "{name} was not loaded by {count}, and nothing was changed: {reason}",
        "{name}을(를) {count}에 올리지 못했고, 바뀐 것은 없습니다: {reason}",
    ),
    "model.none_named": (
        "There is no model '{name}'. Name one by name, number or alias: {known}.",
        "'{name}' 모델이 없습니다. 이름이나 번호, 별칭으로 고르세요: {known}.",
    ),
    "provider.refused": (
        "The identity provider's answer was not accepted. Sign in once more; if it stays, tell your administrator.",
        "인증 서버의 답을 받아들일 수 없습니다. 다시 로그인해 보고, 계속되면 관리자에게 알려 주세요.",
    ),
    "provider.away": (
        "The identity provider {issuer} cannot be asked ({reason}). Try again; if it stays, check auth.oidc.issuer and the "
        "network "
        "between.",
        "인증 서버 {issuer}에 물어볼 수 없습니다({reason}). 다시 해 보고, 계속되면 auth.oidc.issuer와 그 사이 네트워크를 "
        "확인해 주세요.",
    ),
    "provider.no_endpoint": (
        "The identity provider {issuer} offers no {name} over https.",
        "인증 서버 {issuer}에는 https로 쓰는 {name}이(가) 없습니다.",
    ),
    "provider.other_name": (
        "{issuer} calls itself {found}. Set auth.oidc.issuer to exactly that.",
        "{issuer}은(는) 스스로를 {found}(이)라고 합니다. auth.oidc.issuer를 그대로 적어 주세요.",
    ),
    "provider.no_object": (
        "{address} did not answer with a JSON object.",
        "{address}이(가) JSON 객체로 답하지 않았습니다.",
    ),
    "claims.no_subject": (
        "The identity provider says nothing of who signed in: the claim 'sub' is missing or no text.",
        "인증 서버가 누가 로그인했는지 알려 주지 않습니다: 'sub' 클레임이 없거나 글자가 아닙니다.",
    ),
    "claims.no_name": (
        "The identity provider's claim '{claim}' is no name: {reason}",
        "인증 서버의 '{claim}' 클레임은 이름이 아닙니다: {reason}",
    ),
    "claims.too_many_groups": (
        "The identity provider names {count} groups, {most} are allowed. Use group_prefix.",
        "인증 서버가 그룹을 {count}개 알려 줍니다; {most}개까지 됩니다. group_prefix를 쓰세요.",
    ),
    "claims.no_role": (
        "Your account has no role in llmflow. Ask whoever runs the identity provider for one.",
        "이 계정에는 llmflow의 역할이 없습니다. 인증 서버를 맡은 사람에게 요청해 주세요.",
    ),
    "claims.no_tenant": (
        "The identity provider's claim '{claim}' does not name exactly one known tenant.",
        "인증 서버의 '{claim}' 클레임이 아는 조직 하나를 가리키지 않습니다.",
    ),
    "claims.no_texts": (
        "The identity provider's claim '{claim}' is neither a text nor a list of texts.",
        "인증 서버의 '{claim}' 클레임이 글자도 글자 목록도 아닙니다.",
    ),
    "claims.other_tenant": (
        "This account belongs to '{known}', and the identity provider now says '{claimed}'.",
        "이 계정은 '{known}' 소속인데, 인증 서버는 이제 '{claimed}'(이)라고 합니다.",
    ),
}
