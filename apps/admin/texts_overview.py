"""Words of the overview."""

from apps.admin.texts import Word

ATTENTION = Word("오늘 살필 것", "What needs you today")
ALL_WELL = Word(
    "오늘 살필 것이 없습니다. 모든 부분이 동작하고, 실패한 문서나 작업이 없습니다.",
    "Nothing needs you today: every part works, no document or job has failed.",
)
PARTS_DOWN = Word("{name}: {detail}", "{name}: {detail}")
FAILED_DOCUMENTS = Word("읽지 못한 문서 {count}개", "{count} documents could not be read")
FAILED_JOBS = Word("실패한 작업 {count}개", "{count} jobs failed")
ERRORS_UP = Word("오늘 질문의 {share}가 실패했습니다 ({count}건).", "{share} of today's questions failed ({count}).")
SLOW = Word(
    "오늘 답변 시간 p95가 {now}로, 지난 기간({before})의 두 배가 넘습니다.",
    "Today's p95 of {now} is more than twice that of the days before ({before}).",
)
DISLIKED = Word("오늘 좋지 않다는 평가가 {count}건 있습니다.", "{count} answers were judged bad today.")
CANDIDATE = Word("판정을 통과한 후보가 승격을 기다립니다: {name}", "A candidate passed the gate and waits for promotion: {name}")
PROBLEM = Word("{text}", "{text}")
OPEN = Word("열기", "Open")

QUESTIONS = Word("질문", "Questions")
PEOPLE = Word("사람", "People")
ERRORS = Word("실패", "Failed")
REFUSED = Word("답 없음", "No answer found")
CACHED = Word("캐시에서", "From the cache")
LATENCY_P50 = Word("답변 시간 p50", "Answer time p50")
LATENCY_P95 = Word("답변 시간 p95", "Answer time p95")
TTFT_P50 = Word("첫 글자까지 p50", "First word p50")
TTFT_P95 = Word("첫 글자까지 p95", "First word p95")
COST = Word("비용", "Cost")
TOKENS = Word("토큰", "Tokens")
TOKENS_IN = Word("입력 토큰", "Prompt tokens")
TOKENS_OUT = Word("출력 토큰", "Answer tokens")
DAY = Word("날짜", "Day")
GROUP = Word("그룹", "Group")
MODEL = Word("모델", "Model")
BEFORE = Word("앞 기간과 비교", "Against the period before")
NO_GROUP = Word("그룹 없음", "no group")

ANSWERED = Word("답함", "Answered")
USE = Word("얼마나 쓰고 있나?", "How much is it used?")
USE_ANSWER = Word("질문 {questions}건, 그중 {answered}에 답했습니다.", "{questions} questions, {answered} of them answered.")
WAIT = Word("얼마나 기다리나?", "How long do people wait?")
WAIT_ANSWER = Word(
    "절반은 {p50} 안에, 95%는 {p95} 안에 답을 받았습니다.",
    "Half had their answer within {p50}, 95% within {p95}.",
)
SECONDS = Word("초", "seconds")
WRONG = Word("무엇이 잘못되고 있나?", "What goes wrong?")
WRONG_ANSWER = Word("실패 {errors}, 답 없음 {refused}.", "{errors} failed, {refused} without an answer.")
PERCENT = Word("질문의 %", "% of questions")
CACHE = Word("캐시가 일을 덜어 주나?", "Does the cache save work?")
CACHE_ANSWER = Word("질문의 {share}를 캐시에서 답했습니다.", "{share} of the questions were answered from the cache.")
COST_DAY = Word("토큰을 언제 쓰나?", "When are tokens spent?")
COST_GROUP = Word("어느 부서가 토큰을 쓰나?", "Which group spends the tokens?")
COST_GROUP_ANSWER = Word(
    "가장 많이 쓴 곳: {name} ({share}). 여러 그룹에 속한 사람의 질문은 그룹마다 셉니다.",
    "Most: {name} ({share}). A question of somebody in several groups counts in each.",
)
COST_MODEL = Word("어느 모델이 토큰을 쓰나?", "Which model spends the tokens?")
COST_MODEL_ANSWER = Word("가장 많이 쓴 모델: {name} ({share}).", "Most: {name} ({share}).")
COST_ANSWER = Word("입력 {tokens_in}, 출력 {tokens_out} 토큰.", "{tokens_in} tokens in prompts, {tokens_out} in answers.")
NO_TOKENS = Word(
    "이 기간에 쓴 토큰이 없습니다. 모델 서버 없이 인용으로 답하면 토큰을 쓰지 않습니다.",
    "No token was spent in this period. Answers that quote, without a model server, cost none.",
)
NO_USE = Word(
    "이 기간에 질문이 없습니다. 더 긴 기간을 고르거나, 채팅 주소를 사람들에게 알리십시오.",
    "Nothing was asked in this period. Choose a longer one, or tell people where the chat is.",
)
TABLES = Word("표로 보기", "As tables")
BY_DAY = Word("날짜별", "By day")
BY_GROUP = Word("그룹별", "By group")
BY_MODEL = Word("모델별", "By model")
