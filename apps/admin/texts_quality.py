"""Words of the pages on retrieval quality and models."""

from apps.admin.texts import Word

SERVED = Word("지금 쓰는 것", "What serves now")
FROM_CONF = Word("conf/의 설정", "as conf/ says")
PROMOTED_AS = Word("`{label}`(으)로 승격됨", "promoted as `{label}`")
SINCE = Word("{at} UTC부터 · {by} · {reason}", "since {at} UTC · {by} · {reason}")
NOT_FROM_CONF = Word(
    "conf/가 승격 뒤에 바뀌었지만 쓰이지 않습니다: {keys}. 쓰려면 먼저 판정하십시오: `llmflow retrieval gate --candidate conf`.",
    "conf/ changed after the promotion and is not served: {keys}. To serve it, judge it with "
    "`llmflow retrieval gate --candidate conf`, then promote it.",
)
SETTINGS = Word("설정 보기", "Its settings")
SETTING = Word("설정", "Setting")
VALUE = Word("값", "Value")

VERDICTS = Word("무엇을 승격할 수 있나?", "What may be promoted?")
NO_VERDICTS = Word(
    "아직 판정이 없습니다. `llmflow retrieval gate --candidate 이름`이 설정을 판정합니다.",
    "The gate has judged nothing yet. `llmflow retrieval gate --candidate NAME` judges settings.",
)
LABEL = Word("이름", "Name")
ID = Word("아이디", "Id")
DECISION = Word("판정", "Verdict")
AGAINST = Word("비교 대상", "Held against")
MADE_AT = Word("판정한 때 (UTC)", "Judged (UTC)")
REASONS = Word("까닭", "Reasons")
PROMOTE = Word("승격", "Promote")
PROMOTE_EXPLAIN = Word(
    "다음 질문부터 모든 프로세스가 이 설정으로 답합니다. 한 번에 되돌릴 수 있습니다.",
    "From the next question on every process answers with it. One step takes it back.",
)
PROMOTED = Word("{name}이(가) 이제 쓰입니다 (앞: {before}).", "{name} serves now (before: {before}).")
ROLL_BACK = Word("되돌리기", "Roll back")
ROLL_BACK_EXPLAIN = Word(
    "앞에 쓰던 것으로 돌아갑니다: `{name}`. 재시작은 필요 없습니다.",
    "Goes back to what served before: `{name}`. Nothing is restarted.",
)
ROLLED_BACK = Word("{name}(으)로 되돌렸습니다 (앞: {before}).", "{name} serves again (before: {before}).")
NOTHING_BEFORE = Word(
    "되돌릴 것이 없습니다: 아직 승격한 적이 없습니다.", "There is nothing to roll back to: nothing was promoted."
)
OUTDATED = Word(
    "이 판정은 `{against}`와 비교한 것인데 지금은 `{served}`을(를) 씁니다. 판정을 다시 하십시오.",
    "This verdict was made against `{against}`, but `{served}` serves now. Run the gate again.",
)
REJECTED = Word("판정이 거절이라 승격할 수 없습니다.", "The gate rejected it, so it cannot be promoted.")
NOT_JUDGED = Word("판정이 없어 승격할 수 없습니다. `kedro run --pipelines promotion`을 실행하십시오.",
                  "It has no verdict, so it cannot be promoted. Run `kedro run --pipelines promotion`.")  # fmt: skip
SERVES_ALREADY = Word("이미 쓰이고 있습니다.", "It serves already.")
SELECT_VERDICT = Word("한 줄을 고르면 까닭을 보고 승격할 수 있습니다.", "Select a row to see why and to promote it.")

HISTORY = Word("무엇이 바뀌었나?", "What changed, and why?")
NO_HISTORY = Word("아직 승격하거나 되돌린 적이 없습니다.", "Nothing was promoted or rolled back yet.")
AT = Word("때 (UTC)", "When (UTC)")
ACTION = Word("한 일", "What")
NOW = Word("쓰인 것", "Served then")
BEFORE = Word("앞", "Before")
BY = Word("누가", "Who")
WHY = Word("이유", "Why")

NO_MODEL = Word(
    "모델 서버가 없습니다. 답은 문서에서 그대로 인용됩니다. 모델을 쓰려면: `llmflow serve-llm`.",
    "No model is served: answers quote documents as they stand. To serve one: `llmflow serve-llm`.",
)
SMOKE = Word("연습용 작은 모델입니다. 아는 것이 없습니다.", "This is the tiny smoke model. It knows nothing.")
BASE = Word("기반 모델", "Base")
REPLICAS = Word("서버 수", "Replicas")
PREVIOUS = Word("앞에 쓰던 것", "Before")
MODEL = Word("모델", "Model")
VERSIONS = Word("어떤 어댑터가 있고 판정은 어떤가?", "Which adapters are there, and what does the gate say?")
NO_VERSIONS = Word(
    "등록된 어댑터가 없습니다. `llmflow finetune`으로 학습하고 `llmflow models register`로 등록하십시오.",
    "No adapter is registered. Train one with `llmflow finetune`, enter it with `llmflow models register`.",
)
NUMBER = Word("번호", "No.")
ALIASES = Word("지금 역할", "Stands as")
ALIAS_NAMES = {
    "candidate": Word("후보", "candidate"),
    "champion": Word("지금 쓰는 것", "champion"),
    "previous": Word("앞에 쓰던 것", "previous"),
}
CREATED = Word("등록 (UTC)", "Entered (UTC)")
CHECKS = Word("판정에서 본 것", "What the gate looked at")
CHECK = Word("본 것", "Check")
PASSED = Word("통과", "Passed")
MEASURED = Word("잰 값", "Measured")
LIMIT = Word("한계", "Limit")
METRICS = Word("학습에서 잰 값", "Figures of its training run")
METRIC = Word("값의 이름", "Figure")
PROMOTE_MODEL_EXPLAIN = Word(
    "모든 모델 서버에 올린 뒤 재시작 없이 이 어댑터로 바꿉니다. 한 번에 되돌릴 수 있습니다.",
    "Every model server loads it, then answers come from it, without a restart. One step takes it back.",
)

FEEDBACK = Word("사람들은 답을 어떻게 평가하나?", "What do people think of the answers?")
FEEDBACK_ANSWER = Word(
    "좋다 {up}, 좋지 않다 {down} (평가 중 {share}가 좋다).", "{up} good, {down} bad ({share} of the judged were good)."
)
NO_FEEDBACK = Word(
    "이 기간에 평가가 없습니다. 채팅의 엄지 단추로 평가하도록 사람들에게 알리십시오.",
    "Nobody judged an answer in this period. Tell people about the thumbs in the chat.",
)
UP = Word("좋다", "Good")
DOWN = Word("좋지 않다", "Bad")
JUDGEMENTS = Word("평가", "Judgements")
SURE = Word("답을 찾고 있나?", "Does it find answers?")
SURE_ANSWER = Word("답변 {answers}건 중 {share}에서 근거를 찾았습니다.", "Evidence was found for {share} of {answers} answers.")
NO_ANSWERS = Word(
    "이 기간에 답변이 없습니다. 더 긴 기간을 고르십시오.", "Nothing was answered in this period. Choose a longer one."
)
FOUND = Word("근거를 찾음", "Evidence found")
CONFIDENCE = Word("평균 확신도", "Mean confidence")
CONFIDENCE_ONE = Word("확신도", "Confidence")
PERCENT = Word("%", "%")
SLICES = Word("어디가 약한가?", "Where is it weak?")
LANGUAGE = Word("언어", "Language")
LANGUAGES = {"ko": Word("한국어", "Korean"), "en": Word("영어", "English"), "other": Word("그 밖", "other")}
SETTINGS_ID = Word("검색 설정", "Retrieval settings")
ANSWERS = Word("답변", "Answers")
DAY = Word("날짜", "Day")
KIND = Word("종류", "Kind")
SLICED_BY = {
    "language": Word("언어별", "By language"),
    "model": Word("모델별", "By model"),
    "settings_id": Word("검색 설정별", "By settings"),
    "kind": Word("질문 종류별", "By kind of question"),
    "reason": Word("평가한 까닭별", "By reason"),
    "day": Word("날짜별", "By day"),
}
SLICE_NAMES = {
    "language": LANGUAGE,
    "model": MODEL,
    "settings_id": SETTINGS_ID,
    "kind": Word("질문 종류", "Kind of question"),
    "reason": Word("평가한 까닭", "Reason"),
    "day": DAY,
}
QUESTION_KINDS = {
    "stand_alone": Word("홀로 선 질문", "stands alone"),
    "follow_up": Word("이어 묻는 질문", "follow-up"),
    "several_documents": Word("여러 문서로 답함", "answered from several documents"),
    "no_answer": Word("답을 찾지 못함", "nothing found"),
    "unknown": Word("기록 없음", "not recorded"),
}
NO_REASON = Word("까닭 없음", "no reason given")
CACHED = Word("캐시에서", "From the cache")
CORRECTED = Word("고쳐 줌", "Corrected")
UP_SHARE = Word("좋다는 비율", "Share good")
WRONG = Word("자신 있게 틀린 답은 무엇인가?", "What was confidently wrong?")
WRONG_HELP = Word(
    "확신도 {floor} 이상인데 사람이 좋지 않다고 한 답변입니다. 문서가 낡았는지, 다른 문서가 필요한지 살피십시오.",
    "Answers with a confidence of {floor} or more that people judged bad. See whether a document is old or one is missing.",
)
WRONG_SHOW = Word("보기 (감사 기록에 남습니다)", "Show them (kept in the audit)")
NO_WRONG = Word("자신 있게 틀렸다고 평가된 답이 없습니다.", "No confident answer was judged bad.")
REPORTS = Word("평가에서 무엇을 얼마나 찾나?", "How much does evaluation find, slice by slice?")
NO_REPORTS = Word(
    "아직 평가 보고서가 없습니다. `kedro run --pipeline retrieval_evaluation`을 실행하십시오.",
    "There is no evaluation report yet. Run `kedro run --pipeline retrieval_evaluation`.",
)
REPORT_AT = Word("{at} UTC에 잰 값", "Measured {at} UTC")
BY_CHANNEL = Word("어느 채널이 찾나?", "Which channel finds it?")
BY_KIND = Word("어떤 질문에 약한가?", "Which questions is it weak at?")
WEAKEST = Word("가장 약한 곳: {name} ({measure} {value}%).", "Weakest: {name} ({measure} {value}%).")
PART = Word("무엇", "What")
PARTS = {
    "channels": Word("채널", "channels"),
    "kinds": Word("질문 종류", "kinds of question"),
    "answers": Word("답변", "answers"),
}
SLICE = Word("구분", "Slice")
MEASURE = Word("측도", "Measure")
QUESTION = Word("질문", "Question")
ANSWER = Word("답변", "Answer")
CORRECTION = Word("고친 답", "Correction")
SLICE_WORDS = {
    "all": Word("전체", "all"),
    "single": Word("한 문서", "one document"),
    "multi": Word("여러 문서", "several documents"),
    "table": Word("표", "table"),
    "cross_language": Word("다른 언어 문서", "other language"),
    "unanswerable": Word("답이 없는 질문", "no answer there"),
    "permission": Word("권한 밖", "not permitted"),
    "text": Word("전문", "full text"),
    "dense": Word("벡터", "vectors"),
    "hybrid": Word("전문과 벡터", "full text and vectors"),
    "graph": Word("그래프", "graph"),
    "fused": Word("모두 합친 것", "all together"),
    "ko": Word("한국어", "Korean"),
    "en": Word("영어", "English"),
}
