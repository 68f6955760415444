"""Words of the pages on conversations, people and audit."""

from apps.admin.texts import Word

# conversations
CONVERSATIONS = Word("대화", "Conversations")
FEEDBACK = Word("평가", "Feedback")
EXPORT = Word("학습용으로 내보내기", "Export for training")
SHOW = Word("보기", "Show")
LOOK_AGAIN = Word("다시 읽기", "Look again")
MASKED = Word(
    "개인정보는 가려져 있습니다. 대화를 여는 일은 감사 기록에 남습니다.",
    "Personal data is masked. Opening a conversation is kept in the audit.",
)
NO_CONVERSATIONS = Word("대화가 없습니다. 찾기를 지우거나, 채팅 주소를 사람들에게 알리십시오.",
                        "No conversation. Clear the search, or tell people where the chat is.")  # fmt: skip
WHO = Word("누구", "Who")
ANYONE = Word("모두", "Anyone")
TITLE = Word("제목", "Title")
MESSAGES = Word("말", "Messages")
BEGAN = Word("시작 (UTC)", "Began (UTC)")
LAST = Word("마지막 (UTC)", "Last (UTC)")
SELECT_CONVERSATION = Word("한 줄을 고르면 대화를 읽을 수 있습니다.", "Select a row to read it.")
OPEN_CONVERSATION = Word("대화 열기", "Open the conversation")
OPENED = Word("{title} · {who}", "{title} · {who}")
SOURCES = Word("근거: {titles}", "Sources: {titles}")
RATING = Word("평가", "Judgement")
RATINGS = {"": Word("전체", "All"), "up": Word("좋다", "good"), "down": Word("좋지 않다", "bad")}
STATUSES = {
    "done": Word("완료", "done"),
    "pending": Word("쓰는 중", "being written"),
    "stopped": Word("멈춤", "stopped"),
    "interrupted": Word("중단됨", "interrupted"),
    "failed": Word("실패", "failed"),
}
REASON = Word("까닭", "Reason")
CORRECTION = Word("고친 답", "Correction")
QUESTION = Word("질문", "Question")
ANSWER = Word("답변", "Answer")
MODEL = Word("모델", "Model")
AT = Word("때 (UTC)", "When (UTC)")
ABOUT_ANSWER = Word("{model} · 확신도 {confidence} · {time}", "{model} · confidence {confidence} · {time}")
FROM_CACHE = Word("캐시에서", "from the cache")
NO_FEEDBACK = Word("평가가 없습니다. 채팅의 엄지 단추로 평가하도록 사람들에게 알리십시오.",
                   "Nobody judged an answer yet. Tell people about the thumbs in the chat.")  # fmt: skip
PAGE = Word("쪽", "Page")
EXPORT_EXPLAIN = Word(
    "대화를 한 줄에 하나씩 JSON으로 내보냅니다. 파일을 가진 사람은 대화를 모두 읽을 수 있습니다. 학습: `llmflow finetune`.",
    "Writes conversations as JSON Lines, personal data masked. Whoever has the file can read them. To train: `llmflow finetune`.",
)
EXPORT_SINCE = Word("이날부터 (UTC)", "Since (UTC)")
EXPORT_NAME = Word("{since}부터의 대화", "Conversations since {since}")
EXPORTED = Word("대화 {count}개를 내보냈습니다 (스냅샷 {snapshot}). 아래에서 저장하십시오.",
                "{count} conversations were exported (snapshot {snapshot}). Save them below.")  # fmt: skip
JUDGED_ONLY = Word("평가나 고친 답이 있는 대화만", "Only conversations that somebody judged or corrected")
EXPORTED_NONE = Word("이날부터 평가된 대화가 없습니다.", "There is no conversation since that day.")
SAVE = Word("{name} 저장", "Save {name}")

# people
USERS = Word("사용자", "Users")
GROUPS = Word("그룹", "Groups")
NO_USERS = Word(
    "해당하는 사용자가 없습니다. 찾기를 지우거나 사용자를 만드십시오.", "No such user. Clear the search, or create one."
)
NAME = Word("이름", "Name")
SHOWN_NAME = Word("표시 이름", "Shown as")
ROLE = Word("역할", "Role")
STATE = Word("상태", "State")
ACTIVE = Word("사용 중", "active")
DISABLED = Word("막힘", "disabled")
ONE_TIME = Word("일회용 비밀번호", "one-time password")
COMES_FROM = Word("계정 출처", "Comes from")
LOCAL = Word("여기", "here")
CREATED = Word("만든 때 (UTC)", "Created (UTC)")
SEEN = Word("마지막 사용 (UTC)", "Last seen (UTC)")
SELECT_USER = Word("한 줄을 고르면 바꿀 수 있습니다.", "Select a row to change it.")
CREATE = Word("사용자 만들기", "Create a user")
CREATE_EXPLAIN = Word(
    "일회용 비밀번호가 한 번만 보입니다. 본인에게 직접 전하십시오.", "A one-time password is shown once. Hand it over in person."
)
CREATE_NAME = Word("새 사용자", "New user")
NAME_MISSING = Word("이름을 적으십시오.", "Write down a name.")
CREATED_TOLD = Word("{name} 계정을 만들었습니다.", "{name} was created.")
CHANGE = Word("역할과 그룹 바꾸기", "Change role and groups")
CHANGE_EXPLAIN = Word(
    "다음 요청부터 적용됩니다. 다시 로그인할 필요가 없습니다.", "Takes effect with the next request; nobody signs in again."
)
CHANGED = Word("{name}을(를) 바꾸었습니다.", "{name} was changed.")
DISABLE = Word("막기", "Disable")
DISABLE_EXPLAIN = Word(
    "다음 요청부터 아무것도 할 수 없습니다. 다시 풀 수 있습니다.",
    "From the next request on nothing is allowed. It can be taken back.",
)
ENABLE = Word("풀기", "Enable")
ENABLE_EXPLAIN = Word("다시 로그인할 수 있게 됩니다.", "Lets the person sign in again.")
DISABLED_TOLD = Word("{name}을(를) 막았습니다.", "{name} is disabled.")
ENABLED_TOLD = Word("{name}을(를) 풀었습니다.", "{name} is enabled again.")
RESET = Word("비밀번호 초기화", "Reset the password")
RESET_EXPLAIN = Word(
    "지금 비밀번호와 브라우저 로그인이 모두 끝나고, 일회용 비밀번호가 한 번만 보입니다.",
    "Ends the password and every browser's sign-in; a one-time password is shown once.",
)
RESET_TOLD = Word("{name}의 비밀번호를 초기화했습니다.", "The password of {name} was reset.")
SECRET = Word("일회용 비밀번호", "One-time password")
SECRET_TEXT = Word(
    "{name}의 일회용 비밀번호입니다. 이 창을 닫으면 다시 볼 수 없습니다. 첫 로그인에서 새 비밀번호를 정하게 됩니다.",
    "The one-time password of {name}. It cannot be seen again once this is closed. At the first sign-in it is replaced.",
)
DELETE = Word("지우기", "Delete")
DELETE_EXPLAIN = Word(
    "계정과 함께 대화, 키, 개인 공간의 문서를 지웁니다. **되돌릴 수 없습니다.**",
    "Removes the account with its conversations, keys and own documents. **This cannot be undone.**",
)
DELETED = Word("{name}을(를) 지웠습니다.", "{name} is deleted.")
YOURSELF = Word(
    "자신의 계정입니다. 막거나 지우려면 다른 관리자에게 요청하십시오.",
    "This is your own account. Another administrator may disable or delete it.",
)
FROM_PROVIDER = Word("역할, 그룹, 비밀번호는 조직의 로그인 서버({issuer})에서 정합니다.",
                     "Role, groups and password come from the organisation's sign-in ({issuer}).")  # fmt: skip
GROUP = Word("그룹", "Group")
MEMBERS = Word("사람", "Members")
NO_GROUPS = Word("그룹이 없습니다. 부서를 그룹으로 만들면 문서를 그 부서에만 공개할 수 있습니다.",
                 "There is no group. Make one per department to share documents with it.")  # fmt: skip
SELECT_GROUP = Word("한 줄을 고르면 지울 수 있습니다.", "Select a row to delete it.")
ADD_GROUP = Word("그룹 만들기", "Create a group")
ADD_GROUP_EXPLAIN = Word(
    "문서를 이 그룹에 공개하고 사람을 넣을 수 있습니다.", "Documents can be shared with it, and people put into it."
)
NEW_GROUP = Word("새 그룹", "New group")
GROUP_ADDED = Word("그룹 {name}을(를) 만들었습니다.", "The group {name} was created.")
DELETE_GROUP = Word("그룹 지우기", "Delete the group")
DELETE_GROUP_EXPLAIN = Word(
    "구성원 {count}명이 이 그룹의 문서를 더 읽지 못합니다. 문서는 지워지지 않습니다.",
    "Its {count} members no longer read its documents. The documents stay.",
)
GROUP_DELETED = Word("그룹 {name}을(를) 지웠습니다.", "The group {name} is deleted.")

# audit
AUDIT = Word("감사 기록", "Audit")
PII = Word("개인정보", "Personal data")
CHAIN = Word("기록이 온전한가?", "Is the record untouched?")
CHAIN_OK = Word(
    "기록 {count}개가 모두 이어져 있습니다. 바뀌거나 지워진 것이 없습니다.",
    "All {count} entries are chained: none was changed or removed.",
)
CHAIN_BROKEN = Word(
    "{number}번 기록에서 끊어졌습니다: {reason} 데이터베이스를 보존하고 `llmflow audit verify`로 다시 확인하십시오.",
    "Broken at entry {number}: {reason} Keep a copy of the database and check again with `llmflow audit verify`.",
)
VERIFY_AGAIN = Word("다시 확인", "Verify again")
ACTION = Word("한 일", "What")
ACTION_STARTS = Word("한 일 (시작하는 말)", "What (begins with)")
ANY_ACTION = Word("전체", "Everything")
TARGET = Word("대상", "To what")
DETAILS = Word("자세히", "Details")
NUMBER = Word("번호", "No.")
SINCE = Word("이날부터 (UTC)", "From (UTC)")
UNTIL = Word("이날까지 (UTC)", "To (UTC)")
NO_ENTRIES = Word("해당하는 기록이 없습니다. 기간이나 거르기를 넓히십시오.", "No such entry. Widen the period or the filters.")
ACTIONS = {
    "account": Word("계정", "Accounts"),
    "document": Word("문서", "Documents"),
    "model": Word("모델", "Models"),
    "retrieval": Word("검색 설정", "Retrieval settings"),
    "conversation": Word("대화", "Conversations"),
    "feedback": Word("평가", "Feedback"),
    "group": Word("그룹", "Groups"),
}
DEEDS = {
    "account.created": Word("계정 만듦", "account created"),
    "account.updated": Word("계정 바꿈", "account changed"),
    "account.deleted": Word("계정 지움", "account deleted"),
    "account.locked": Word("계정 잠김", "account locked"),
    "account.password_changed": Word("비밀번호 바꿈", "password changed"),
    "account.password_reset": Word("비밀번호 초기화", "password reset"),
    "account.sign_in": Word("로그인", "signed in"),
    "account.sign_in_failed": Word("로그인 실패", "sign-in failed"),
    "account.sign_out": Word("로그아웃", "signed out"),
    "account.key_created": Word("키 만듦", "key created"),
    "account.key_revoked": Word("키 없앰", "key revoked"),
    "group.created": Word("그룹 만듦", "group created"),
    "group.deleted": Word("그룹 지움", "group deleted"),
    "document.upload": Word("문서 올림", "document uploaded"),
    "document.reindex": Word("문서 다시 읽음", "document re-indexed"),
    "document.release": Word("문서 그대로 쓰기", "document taken as it stands"),
    "document.withdraw_release": Word("문서 다시 판정", "document judged again"),
    "document.delete": Word("문서 지움", "document deleted"),
    "model.promote": Word("모델 승격", "model promoted"),
    "model.rollback": Word("모델 되돌림", "model rolled back"),
    "retrieval.promote": Word("검색 설정 승격", "settings promoted"),
    "retrieval.rollback": Word("검색 설정 되돌림", "settings rolled back"),
    "conversation.list": Word("대화 목록 봄", "conversations listed"),
    "conversation.review": Word("대화 읽음", "conversation read"),
    "conversation.export": Word("대화 내보냄", "conversations exported"),
    "feedback.review": Word("평가 읽음", "feedback read"),
}
"""What the audit calls actions; one that is not named here is shown by its code."""
CODE = Word("코드", "Code")
DETAIL_NAMES = {
    "reason": Word("이유", "reason"),
    "by": Word("방법", "by"),
    "name": Word("이름", "name"),
    "role": Word("역할", "role"),
    "groups": Word("그룹", "groups"),
    "display_name": Word("표시 이름", "shown as"),
    "disabled": Word("막힘", "disabled"),
    "before": Word("앞", "before"),
    "source": Word("출처", "source"),
    "searched": Word("찾기", "searched"),
    "shown": Word("보인 수", "shown"),
    "messages": Word("말", "messages"),
    "rows": Word("줄", "rows"),
    "snapshot": Word("스냅샷", "snapshot"),
    "judged_only": Word("평가된 것만", "judged only"),
    "rating": Word("평가", "judgement"),
    "size": Word("크기", "size"),
    "channel": Word("통로", "channel"),
    "browser": Word("브라우저", "browser"),
    "address": Word("주소", "address"),
}
PII_WHAT = Word("어떤 개인정보를 가렸나?", "Which personal data was masked?")
PII_ANSWER = Word(
    "질문과 답변에서 모두 {total}건, 가장 많은 것은 {name}.", "{total} pieces in questions and answers; most of all {name}."
)
PII_WHEN = Word("언제 가렸나?", "When was it masked?")
PII_WHEN_ANSWER = Word("내용은 남기지 않고 수만 셉니다.", "Only counts are kept, never the text.")
NO_PII = Word("이 기간의 질문과 답변에서 가린 것이 없습니다.", "Nothing was masked in questions and answers of this period.")
PII_DOCUMENTS = Word("문서에는 무엇이 있었나?", "What was in the documents?")
PII_DOCUMENTS_ANSWER = Word("색인하기 전에 모두 {total}건을 가렸습니다.", "{total} pieces were masked before indexing.")
NO_PII_DOCUMENTS = Word("문서에서 가린 것이 없습니다.", "Nothing was masked in documents.")
PIECES = Word("건", "pieces")
DAY = Word("날짜", "Day")
KIND = Word("종류", "Kind")
PII_KINDS = {
    "EMAIL": Word("이메일", "e-mail"),
    "RRN": Word("주민등록번호", "resident number"),
    "FOREIGNER": Word("외국인등록번호", "foreigner number"),
    "CARD": Word("카드", "card"),
    "DRIVER": Word("운전면허", "driver's licence"),
    "BUSINESS": Word("사업자번호", "business number"),
    "PASSPORT": Word("여권", "passport"),
    "PHONE": Word("전화번호", "phone"),
    "ACCOUNT": Word("계좌", "bank account"),
    "IBAN": Word("IBAN", "IBAN"),
    "IP": Word("IP 주소", "IP address"),
    "NAME": Word("이름", "name"),
}
