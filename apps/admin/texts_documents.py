"""Words of the documents page and of the health page."""

from apps.admin.texts import Word

STATUS = Word("상태", "Status")
STATUSES = {
    "ready": Word("검색됨", "searchable"),
    "failed": Word("실패", "failed"),
    "processing": Word("읽는 중", "being read"),
    "pending": Word("대기", "waiting"),
}
SPACES = {
    "all": Word("전체", "All"),
    "shared": Word("읽을 수 있는 것", "Shared with me"),
    "own": Word("내 문서", "My own"),
}
SPACE = Word("공간", "Space")
SPACE_SHOWN = {"own": Word("내 문서", "own"), "shared": Word("공유", "shared"), "other": Word("다른 그룹", "other groups")}
SOURCE = Word("출처", "Source")
TITLE = Word("제목", "Title")
FORMAT = Word("형식", "Format")
GROUPS = Word("그룹", "Groups")
CHUNKS = Word("조각", "Passages")
PAGES = Word("쪽", "Pages")
SIZE = Word("크기", "Size")
PII = Word("가린 개인정보", "Masked")
SCREENING = Word("AI를 향한 지시", "Speaks to the AI")
SCREENED = {
    "withheld": Word("통째로 뺌", "left out"),
    "cut": Word("일부를 뺌", "partly left out"),
    "doubted": Word("의심", "doubted"),
}
HOLDS_INSTRUCTIONS = Word("AI를 향한 지시가 있는 문서만", "Holds instructions")
SPEAKING = Word("AI를 향한 지시가 있는 구절", "Passages that speak to the AI")
SPEAKING_MORE = Word("모두 {count}개 가운데 처음 {shown}개입니다.", "The first {shown} of {count}.")
RELEASED = Word("그대로 씀", "taken as it stands")
RELEASED_AT = Word("관리자가 {at} UTC에 그대로 쓰기로 함", "An administrator took it as it stands, {at} UTC")
RELEASE = Word("그대로 쓰기", "Take as it stands")
RELEASE_EXPLAIN = Word(
    "AI를 향한 글로 보여 뺀 부분까지 문서 전체를 검색하고 인용합니다. **읽어 보고 사람을 위한 글일 때만** 하십시오. 답변에서는 "
    "여전히 자료로만 다룹니다. 파일 내용이 바뀌면 다시 판정하며, 언제든 되돌릴 수 있습니다.",
    "Searches and cites the whole document, with what was left out because it speaks to the AI. **Read it first: it must be "
    "meant for people.** Answers still treat it as material only. A changed file is judged anew, and this can be taken back.",
)
RELEASING = Word("{name}: 그대로 다시 읽는 작업을 시작했습니다.", "{name} is being read again, as it stands.")
WITHDRAW = Word("다시 판정하기", "Judge it again")
WITHDRAW_EXPLAIN = Word(
    "그대로 쓰기를 되돌립니다. 지금부터 답변에서 AI를 향한 글을 빼며, 문서를 다시 읽어 찾은 것을 뺍니다.",
    "Takes the release back. From now on answers leave out what speaks to the AI, and the document is read again without it.",
)
WITHDRAWN = Word("{name}: 다시 판정하는 작업을 시작했습니다.", "{name} is being judged again.")
UPDATED = Word("바뀐 때 (UTC)", "Changed (UTC)")
FAILURE = Word("실패한 까닭과 할 일", "Why it failed, and what to do")
NOTHING = Word("해당하는 문서가 없습니다. 아래에서 올리거나 `llmflow ingest`로 읽어 들이십시오.",
               "No such document. Upload one below, or read a folder with `llmflow ingest`.")  # fmt: skip
SEARCHABLE = Word("검색됨", "Searchable")
FAILED = Word("실패", "Failed")
ON_THE_WAY = Word("처리 중", "On the way")
ALL_DOCUMENTS = Word("전체 문서", "Documents")
SELECT = Word("표에서 한 줄을 고르면 자세히 보고 다시 읽거나 지울 수 있습니다.", "Select a row to see, re-index or delete it.")
FIRST_ROWS = Word("처음 {count}개만 보입니다. 찾기로 좁히십시오.", "The first {count} are shown. Narrow the search.")

REINDEX = Word("다시 읽기", "Re-index")
REINDEX_EXPLAIN = Word("원본을 다시 읽어 모든 저장소에 새로 씁니다. 끝날 때까지 지금 것이 검색됩니다.",
                       "Reads the original again and writes it into every store. What is served stays until then.")  # fmt: skip
REINDEXED = Word("{name}: 다시 읽는 작업을 시작했습니다.", "{name} is being read again.")
REINDEX_FAILED = Word("실패한 문서 모두 다시 읽기 ({count})", "Re-index all that failed ({count})")
REINDEX_FAILED_EXPLAIN = Word(
    "실패한 문서 {count}개를 차례로 다시 읽습니다.", "Reads the {count} documents that failed again, one after the other."
)
REINDEXED_ALL = Word("문서 {count}개를 다시 읽기 시작했습니다.", "{count} documents are being read again.")
DELETE = Word("지우기", "Delete")
DELETE_EXPLAIN = Word(
    "벡터, 전문, 그래프, 캐시와 원본에서 지웁니다. **되돌릴 수 없습니다.** 다음 답변부터 인용되지 않습니다.",
    "Removes it from vectors, full text, graph, cache and the raw store. **This cannot be undone.** No later answer cites it.",
)
DELETED = Word("{name}을(를) 지웠습니다.", "{name} is deleted.")
DELETED_LATER = Word("{name}을(를) 답변에서 뺐습니다. 진행 중인 작업이 끝나면 저장소에서도 지워집니다.",
                     "{name} is gone from answers, and leaves the stores when the running job has ended.")  # fmt: skip

UPLOAD = Word("문서 올리기", "Upload documents")
UPLOAD_GROUPS = Word("누가 읽을 수 있나", "Who may read them")
EVERYONE = Word("모두", "everyone")
FILES = Word("파일", "Files")
UPLOAD_BUTTON = Word("올리기", "Upload")
UPLOAD_EXPLAIN = Word("{count}개 파일을 {groups}에게 공개합니다. 같은 이름의 문서는 새 내용으로 바뀝니다.",
                      "{count} files become readable for {groups}. Same name: new content.")  # fmt: skip
UPLOAD_NEEDS = Word("파일과 그룹을 고르십시오.", "Choose files and who may read them.")
UPLOADED = Word(
    "{count}개를 받았습니다. 아래 작업에서 봅니다.",
    "{count} files were taken. Their jobs are below.",
)
UPLOAD_REFUSED = Word("{name}: {error}", "{name}: {error}")
UPLOAD_OWN = Word("내 공간에만", "my own space only")

JOBS = Word("작업", "Jobs")
NO_JOBS = Word(
    "작업이 없습니다. 문서를 올리거나 다시 읽으면 여기에 보입니다.", "There is no job. Uploads and re-indexing show up here."
)
JOB_KINDS = {
    "ingest": Word("읽기", "ingest"),
    "reindex": Word("다시 읽기", "re-index"),
    "delete": Word("지우기", "delete"),
    "export": Word("내보내기", "export"),
}
JOB_STATUSES = {
    "waiting": Word("대기", "waiting"),
    "running": Word("진행 중", "running"),
    "done": Word("끝남", "done"),
    "failed": Word("실패", "failed"),
}
KIND = Word("일", "Job")
PROGRESS = Word("진행", "Progress")
NOTE = Word("설명", "Note")
ATTEMPTS = Word("시도", "Tries")
STARTED = Word("시작 (UTC)", "Began (UTC)")
BY_STATUS = Word("문서가 어떤 상태인가?", "What state are the documents in?")
BY_STATUS_ANSWER = Word("{total}개 중 {ready}개가 검색됩니다.", "{ready} of {total} are searchable.")
BY_FORMAT = Word("어떤 형식이 있나?", "Which formats are there?")
BY_FORMAT_ANSWER = Word("가장 많은 형식: {name} ({count}개).", "Most are {name} ({count}).")
COUNT = Word("문서 수", "Documents")

# health
PART_STATUSES = {
    "ok": Word("동작", "works"),
    "degraded": Word("일부만 동작", "works in part"),
    "failed": Word("멈춤", "failed"),
}
PARTS = {
    "state database": Word("상태 데이터베이스", "state database"),
    "full text": Word("전문 색인", "full text"),
    "vectors": Word("벡터", "vectors"),
    "graph": Word("그래프", "graph"),
    "raw files": Word("원본 파일", "raw files"),
    "embedder": Word("임베더", "embedder"),
    "reranker": Word("재순위 모델", "reranker"),
    "chat model": Word("채팅 모델", "chat model"),
    "chat memory": Word("채팅 기억", "chat memory"),
    "disk": Word("디스크", "disk"),
    "job queue": Word("작업 대기열", "job queue"),
    "jobs": Word("작업", "jobs"),
    "audit": Word("감사 기록", "audit"),
}
ALL_WORK = Word("모든 부분이 동작합니다.", "Every part works.")
SOME_DOWN = Word("{count}개 부분을 살펴야 합니다: {names}", "{count} parts need you: {names}")
NAME = Word("이름", "Name")
DETAIL = Word("자세히", "Detail")
REMEDY = Word("할 일", "What to do")
FRESHNESS = Word("색인이 최신인가?", "Is the index up to date?")
INDEXED_AT = Word("마지막 색인: {at} UTC", "Last indexed {at} UTC")
WAITING = Word("색인을 기다림", "Waiting to be indexed")
METRICS = Word("측정값 (Prometheus)", "Metrics (Prometheus)")
METRIC = Word("측정값", "Metric")
LABELS = Word("구분", "Labels")
VALUE = Word("값", "Value")
MEANING = Word("뜻", "Meaning")
NO_METRICS = Word(
    "측정값이 없습니다. 서버가 방금 시작했으면 질문이 온 뒤에 보입니다.",
    "There is no metric yet. They come with the first questions.",
)
QUEUE = Word("기다리는 일이 있나?", "Is work waiting?")
QUEUE_WAITING = Word("대기 중", "Waiting")
QUEUE_RUNNING = Word("진행 중", "Running")
QUEUE_FAILED = Word("실패", "Failed")
FRESHNESS_AGE = Word("가장 오래 기다린 변경", "Oldest change not served")
NOTHING_WAITS = Word("없음", "none")
HOURS = Word("{count}시간", "{count} h")
MINUTES = Word("{count}분", "{count} min")
VECTORS = Word("검색에 쓰는 벡터: {space}", "Vectors that are searched: {space}")
