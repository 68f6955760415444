"""Every word of the sign-in page, in Korean and in English."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    language: str
    other: str
    other_language: str
    heading: str
    name: str
    password: str
    tenant: str
    sign_in: str
    sign_in_at: str
    provider: str
    wrong: str
    too_many: str
    elsewhere: str
    provider_away: str
    provider_refused: str
    signed_out: str
    change_heading: str
    forced: str
    current: str
    new: str
    again: str
    rule: str
    change: str
    differ: str
    too_short: str
    guessable: str
    not_changed: str
    signed_in_heading: str
    signed_in_as: str
    go_on: str
    change_mine: str
    sign_out: str
    single: str
    # a word of its own, not the conjunction of the template
    or_: str


KOREAN = Words(
    language="ko",
    other="en",
    other_language="English",
    heading="로그인",
    name="이름(아이디)",
    password="비밀번호",
    tenant="소속 조직",
    sign_in="로그인",
    sign_in_at="{label}(으)로 로그인",
    provider="회사 계정",
    wrong="이름과 비밀번호가 맞지 않거나, 여러 번 틀려 잠시 잠긴 계정입니다. 다시 확인해 주세요. 계속되면 관리자에게 문의하세요.",
    too_many="이 주소에서 로그인 실패가 너무 많았습니다. {n}초 뒤에 다시 시도하세요.",
    elsewhere="다른 사이트에서 보낸 요청이라 받지 않았습니다. 이 페이지에서 다시 로그인하세요.",
    provider_away="회사 계정 서버에 연결할 수 없습니다. 잠시 뒤 다시 시도하고, 계속되면 관리자에게 알려 주세요.",
    provider_refused="회사 계정으로 로그인하지 못했습니다. 다시 시도하고, 계속되면 관리자에게 알려 주세요.",
    signed_out="로그아웃했습니다.",
    change_heading="새 비밀번호 정하기",
    forced="받으신 비밀번호는 한 번만 쓸 수 있습니다. 앞으로 쓸 비밀번호를 정해 주세요.",
    current="지금 비밀번호",
    new="새 비밀번호",
    again="새 비밀번호 다시 입력",
    rule="{n}자 이상이면 됩니다. 문장으로 지으면 기억하기 쉽습니다.",
    change="비밀번호 바꾸기",
    differ="새 비밀번호 두 개가 서로 다릅니다.",
    too_short="비밀번호가 너무 짧거나 깁니다. {n}자 이상으로 정해 주세요.",
    guessable="짐작하기 쉬운 비밀번호입니다. 서로 상관없는 낱말 여러 개로 정해 주세요.",
    not_changed="지금 비밀번호가 맞지 않거나, 새 비밀번호가 예전 것과 같습니다.",
    signed_in_heading="로그인되어 있습니다",
    signed_in_as="{name} ({tenant})",
    go_on="계속",
    change_mine="비밀번호 바꾸기",
    sign_out="로그아웃",
    single="혼자 쓰는 모드입니다. 이 컴퓨터에서 여는 사람은 누구나 관리자입니다. 로그인이 없습니다.",
    or_="또는",
)
ENGLISH = Words(
    language="en",
    other="ko",
    other_language="한국어",
    heading="Sign in",
    name="Name",
    password="Password",
    tenant="Organisation",
    sign_in="Sign in",
    sign_in_at="Sign in with {label}",
    provider="your company account",
    wrong="This name and password do not open an account, or it is locked for a while after too many attempts. Check both; if it "
    "stays, ask your administrator.",
    too_many="Too many sign-ins failed from this address. Try again in {n} seconds.",
    elsewhere="This request came from another site and was not accepted. Please sign in on this page.",
    provider_away="The company's sign-in server cannot be reached. Try again in a moment; if it stays, tell your administrator.",
    provider_refused="Signing in with the company account did not work. Try again; if it stays, tell your administrator.",
    signed_out="You are signed out.",
    change_heading="Choose a new password",
    forced="The password that you were given works once. Choose the one that you will use from now on.",
    current="Current password",
    new="New password",
    again="New password again",
    rule="{n} characters or more. A sentence is easy to remember.",
    change="Change password",
    differ="The two new passwords differ.",
    too_short="The password is too short or too long. Use {n} characters or more.",
    guessable="This password is easy to guess. Choose several words that do not belong together.",
    not_changed="The current password is wrong, or the new one is the old one.",
    signed_in_heading="You are signed in",
    signed_in_as="{name} ({tenant})",
    go_on="Continue",
    change_mine="Change password",
    sign_out="Sign out",
    single="Single-user mode: whoever opens this on this machine is the administrator. There is no sign-in.",
    or_="or",
)


def words_of(chosen: str, accepted: str, otherwise: str) -> Words:
    """Return the words of the chosen language, else of the first of `Accept-Language` that we have, else of `otherwise`."""
    for wanted in (chosen, *(part.split(";")[0].strip()[:2].lower() for part in accepted.split(",")), otherwise):
        if wanted in ("ko", "en"):
            return KOREAN if wanted == "ko" else ENGLISH
    return ENGLISH
