"""Words of the dashboard in Korean and English: what all pages share. Each page's own words stand in texts_*.py beside it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Word:
    """One text in both languages."""

    ko: str
    en: str

    def say(self, language: str, **values: Any) -> str:
        return (self.en if language == "en" else self.ko).format(**values)


LANGUAGES = {"ko": "한국어", "en": "English"}

TITLE = Word("llmflow 관리", "llmflow dashboard")
LANGUAGE = Word("언어", "Language")
REFRESH = Word("자동 새로고침", "Refresh by itself")
REFRESH_HELP = Word("{seconds}초마다 새로 읽습니다.", "Asks anew every {seconds} seconds.")
SIGN_OUT = Word("로그아웃", "Sign out")
SIGNED_IN_AS = Word("{name} · {tenant} · {role}", "{name} · {tenant} · {role}")
UPDATED = Word("{time}에 읽음 (UTC)", "Read at {time} UTC")
PERIOD = Word("기간", "Period")
PERIODS = {
    1: Word("오늘", "Today"),
    7: Word("7일", "7 days"),
    30: Word("30일", "30 days"),
    90: Word("90일", "90 days"),
}
AS_TABLE = Word("표로 보기", "As a table")
CSV = Word("CSV로 저장", "Save as CSV")
ROWS = Word("{total}개 중 {shown}개", "{shown} of {total}")
MORE = Word("더 보기", "Show more")
NONE = Word("없음", "none")
YES = Word("예", "yes")
NO = Word("아니요", "no")
ALL = Word("전체", "All")
SEARCH = Word("찾기", "Search")
WHO = Word("누구", "Who")
SYSTEM = Word("시스템", "system")
COMMAND_LINE = Word("명령줄", "command line")

# pages
OVERVIEW = Word("개요", "Overview")
DOCUMENTS = Word("문서", "Documents")
QUALITY = Word("검색 품질", "Retrieval quality")
MODELS = Word("모델", "Models")
CONVERSATIONS = Word("대화와 평가", "Conversations and feedback")
PEOPLE = Word("사용자와 그룹", "Users and groups")
AUDIT = Word("감사와 개인정보", "Audit and personal data")
HEALTH = Word("시스템 상태", "System health")
SECTIONS = {
    "see": Word("현황", "What is going on"),
    "improve": Word("내용과 품질", "Content and quality"),
    "run": Word("운영", "Running the house"),
}

# signing in
SIGN_IN = Word("로그인", "Sign in")
SIGN_IN_INTRO = Word(
    "관리 화면입니다. 채팅에서 쓰는 계정으로 로그인하십시오.", "Sign in with the account that you use in the chat."
)
WAY = Word("로그인 방법", "How")
WAYS = {"password": Word("이름과 비밀번호", "Name and password"), "key": Word("키", "Key")}
NAME = Word("이름", "Name")
PASSWORD = Word("비밀번호", "Password")
TENANT = Word("테넌트 (비우면 기본)", "Tenant (empty: the usual one)")
KEY = Word("키", "Key")
KEY_HELP = Word(
    "조직 계정(OIDC)으로 로그인하는 곳에서는 채팅({address})에 로그인하여 키를 만든 뒤 여기에 붙여 넣으십시오.",
    "Where people sign in through the organisation (OIDC): sign in to the chat ({address}), make a key there and paste it here.",
)
FILL_IN = Word("빈칸을 채우십시오.", "Fill in every field.")
EXPIRED = Word("로그인이 만료되었습니다. 다시 로그인하십시오.", "Your sign-in has ended. Sign in again.")
SIGNED_OUT = Word("로그아웃했습니다.", "You are signed out.")
CHANGE_PASSWORD = Word("새 비밀번호", "A password of your own")
CHANGE_PASSWORD_INTRO = Word(
    "지금 비밀번호는 한 번만 쓰는 것입니다. 새 비밀번호를 정하면 계속할 수 있습니다.",
    "The password you used is good once. Choose your own to go on.",
)
CURRENT_PASSWORD = Word("지금 비밀번호", "Current password")
NEW_PASSWORD = Word("새 비밀번호", "New password")
REPEAT_PASSWORD = Word("새 비밀번호 다시", "New password again")
DIFFERENT = Word("두 비밀번호가 다릅니다.", "The two passwords differ.")
NO_PAGES = Word(
    "이 계정({role})으로 볼 수 있는 관리 화면이 없습니다. 관리자에게 역할을 요청하십시오.",
    "There is no page for this account ({role}). Ask an administrator for another role.",
)

# failures
AWAY = Word("API에 연결할 수 없습니다.", "The API is away.")
AWAY_NEXT = Word(
    "서버를 시작했는지 확인하십시오: llmflow chat. 주소는 conf/base/admin.yml의 api 또는 --api로 정합니다.",
    "See that it runs: llmflow chat. Its address is `api` in conf/base/admin.yml, or --api.",
)
FORBIDDEN = Word("허용되지 않았습니다.", "This is not allowed.")
AGAIN = Word("다시 시도", "Try again")

# confirming
REASON = Word("이유 (감사 기록에 남습니다)", "Reason (kept in the audit)")
REASON_MISSING = Word("이유를 적으십시오.", "Write down the reason.")
TYPE_NAME = Word("확인을 위해 **{name}** 을(를) 그대로 입력하십시오.", "Type **{name}** to confirm.")
NAME_DIFFERS = Word("입력한 이름이 다릅니다.", "That is not its name.")
CONFIRM = Word("확인", "Confirm")
CANCEL = Word("취소", "Cancel")
CLOSE = Word("닫기", "Close")
NO_RIGHT = Word(
    "볼 수만 있습니다. 바꾸려면 `{permission}` 권한이 필요합니다.", "You may look. Changing needs the permission `{permission}`."
)

ROLES = {
    "user": Word("사용자", "user"),
    "engineer": Word("엔지니어", "engineer"),
    "administrator": Word("관리자", "administrator"),
}
DECISIONS = {
    "PROMOTE": Word("승격 가능", "may be promoted"),
    "REJECT": Word("거절", "rejected"),
    "": Word("판정 없음", "not judged"),
}
ACTIONS = {"promote": Word("승격", "promoted"), "rollback": Word("되돌림", "rolled back")}
