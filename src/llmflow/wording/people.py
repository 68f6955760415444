"""What is said of accounts, sign-in, groups and permissions. English and Korean by code, with the same number of sentences."""

from collections.abc import Mapping

PEOPLE: Mapping[str, tuple[str, str]] = {
    "permission.missing": (
        "This needs the permission '{permission}', which your account does not have here.",
        "'{permission}' 권한이 필요한데 이 계정에는 없습니다.",
    ),
    "origin.single": (
        "In single-user mode only this machine is served. Open http://127.0.0.1, not {host}.",
        "혼자 쓰는 모드에서는 이 컴퓨터에서만 열 수 있습니다. {host}이(가) 아니라 http://127.0.0.1 을 여세요.",
    ),
    "auth.browser_only": (
        "Keys and passwords are managed in a browser's session, not with a key.",
        "키와 비밀번호는 키가 아니라 브라우저로 로그인해서 다룹니다.",
    ),
    "auth.no_passwords": (
        "Nobody signs in with a password here.",
        "여기서는 비밀번호로 로그인하지 않습니다.",
    ),
    "oidc.no_code": (
        "The identity provider sent no code.",
        "회사 계정 서버가 코드를 보내지 않았습니다.",
    ),
    "auth.must_change": (
        "Your password was given to you once: choose one of your own first, at /sign-in.",
        "받으신 비밀번호는 한 번만 쓸 수 있습니다: 먼저 /sign-in 에서 새 비밀번호를 정해 주세요.",
    ),
    "permission.role": (
        "This needs the permission '{permission}', which a {role} does not have here.",
        "'{permission}' 권한이 필요한데 {role} 역할에는 없습니다.",
    ),
    "oidc.name_taken": (
        "The name '{name}' belongs to another account here. Ask your administrator.",
        "'{name}'은(는) 여기서 다른 계정의 이름입니다. 관리자에게 문의하세요.",
    ),
    "auth.disabled": (
        "This account is disabled here. Ask your administrator.",
        "이 계정은 막혀 있습니다. 관리자에게 문의하세요.",
    ),
    "auth.ended": (
        "You are not signed in, or the session or key has ended.",
        "로그인하지 않았거나, 로그인이나 키의 기한이 끝났습니다.",
    ),
    "auth.elsewhere": (
        "This account has no password here: it signs in elsewhere. Change it there.",
        "이 계정의 비밀번호는 여기 없습니다: 다른 곳에서 로그인합니다. 거기서 바꿔 주세요.",
    ),
    "key.too_many": (
        "An account has at most {most} keys. Revoke one that is no longer used.",
        "계정 하나에 키는 {most}개까지입니다. 쓰지 않는 키를 없애 주세요.",
    ),
    "key.days": (
        "A key holds for 1 to {most} days, or without an end; {days} is neither.",
        "키의 기한은 1일에서 {most}일까지거나 없음입니다; {days}은(는) 어느 쪽도 아닙니다.",
    ),
    "key.none": (
        "There is no such key of yours.",
        "내 키 가운데 그런 키가 없습니다.",
    ),
    "auth.idle": (
        "Nothing was sent for a long time: sign in again.",
        "오랫동안 쓰지 않았습니다: 다시 로그인해 주세요.",
    ),
    "password.old": (
        "The new password is the old one. Choose another.",
        "새 비밀번호가 예전 것과 같습니다. 다른 것으로 정해 주세요.",
    ),
    "password.wrong": (
        "The current password is wrong, or the account is locked for a while after too many attempts.",
        "지금 비밀번호가 맞지 않거나, 여러 번 틀려 잠시 잠긴 계정입니다.",
    ),
    "password.given": (
        "The new password is the one that was given to you. Choose one of your own.",
        "새 비밀번호가 받으신 비밀번호와 같습니다. 새로 정해 주세요.",
    ),
    "auth.nobody": (
        "Nobody is signed in.",
        "로그인한 사람이 없습니다.",
    ),
    "user.none": (
        "There is no such user.",
        "그런 사용자가 없습니다.",
    ),
    "user.no_name": (
        "There is no account '{name}' in '{tenant}'.",
        "'{tenant}'에 '{name}' 계정이 없습니다.",
    ),
    "user.provider": (
        "Accounts come from the identity provider here, at their first sign-in. Add the person there.",
        "계정은 처음 로그인할 때 회사 계정 서버에서 옵니다. 거기서 사람을 추가해 주세요.",
    ),
    "user.provider_role": (
        "Role and groups of this account come from the identity provider at each sign-in. Change them there.",
        "이 계정의 역할과 그룹은 로그인할 때마다 회사 계정 서버에서 옵니다. 거기서 바꿔 주세요.",
    ),
    "user.no_password": (
        "This account has no password here: it signs in at the identity provider.",
        "이 계정의 비밀번호는 여기 없습니다: 회사 계정 서버에서 로그인합니다.",
    ),
    "group.none": (
        "There is no such group.",
        "그런 그룹이 없습니다.",
    ),
    "group.no_name": (
        "There is no group '{name}'. Groups are: {known}. Create it first, or correct the name.",
        "'{name}' 그룹이 없습니다. 있는 그룹: {known}. 먼저 만들거나 이름을 고쳐 주세요.",
    ),
    "user.last_administrator": (
        "'{name}' is the only administrator that can sign in. Make somebody else one first.",
        "'{name}'은(는) 로그인할 수 있는 유일한 관리자입니다. 먼저 다른 사람을 관리자로 만들어 주세요.",
    ),
    "group.own_space": (
        "{name} cannot be a group: names that begin with '{prefix}' are people's own spaces.",
        "{name}은(는) 그룹 이름이 될 수 없습니다: '{prefix}'로 시작하는 이름은 각자의 공간입니다.",
    ),
    "group.everyone": (
        "'{name}' cannot be a group: everyone of a tenant belongs to it already.",
        "'{name}'은(는) 그룹 이름이 될 수 없습니다: 조직의 모든 사람이 이미 속해 있습니다.",
    ),
    "account.none": (
        "There is no account '{account}'.",
        "'{account}' 계정이 없습니다.",
    ),
    "user.taken": (
        "There is an account '{name}' in '{tenant}' already. Choose another name.",
        "'{tenant}'에 '{name}' 계정이 이미 있습니다. 다른 이름을 골라 주세요.",
    ),
    "group.taken": (
        "There is a group '{name}' in '{tenant}' already. Choose another name.",
        "'{tenant}'에 '{name}' 그룹이 이미 있습니다. 다른 이름을 골라 주세요.",
    ),
    "password.short": (
        "The password has {count} characters. Use {least} or more; a sentence is easy to remember.",
        "비밀번호가 {count}자입니다. {least}자 이상으로 정해 주세요; 문장으로 지으면 기억하기 쉽습니다.",
    ),
    "password.long": (
        "The password has {count} characters. Use {most} at most.",
        "비밀번호가 {count}자입니다. {most}자까지로 정해 주세요.",
    ),
    "password.control": (
        "The password contains control characters. Type it, or paste it without line breaks.",
        "비밀번호에 제어 문자가 있습니다. 직접 입력하거나 줄바꿈 없이 붙여 넣어 주세요.",
    ),
    "password.name": (
        "The password is little more than the name. Choose one that nobody would guess from who you are.",
        "비밀번호가 이름과 거의 같습니다. 누구인지 알아도 짐작할 수 없는 것으로 정해 주세요.",
    ),
    "password.common": (
        "The password is one of the first that anybody would try. Choose several words that do not belong together.",
        "누구나 먼저 시도해 볼 비밀번호입니다. 서로 상관없는 낱말 여러 개로 정해 주세요.",
    ),
    "sign_in.allowed": (
        "Accounts of this installation.",
        "여기에 등록된 계정.",
    ),
    "sign_in.next": (
        "Sign in at /sign-in, or send a key: Authorization: Bearer lf-...",
        "/sign-in 에서 로그인하거나 키를 보내세요: Authorization: Bearer lf-...",
    ),
    "denied.allowed": (
        "What your account may do.",
        "이 계정에 허용된 일.",
    ),
    "denied.next": (
        "Ask your administrator if you need it.",
        "필요하면 관리자에게 문의하세요.",
    ),
    "oidc.started_elsewhere": (
        "This sign-in was not started in this browser, or too long ago. Start it again.",
        "이 브라우저에서 시작한 로그인이 아니거나 너무 오래되었습니다. 다시 시작해 주세요.",
    ),
    "sign_in.wrong": (
        "This name and password do not open an account, or it is locked for a while after too many attempts.",
        "이름과 비밀번호가 맞지 않거나, 여러 번 틀려 계정이 잠시 잠겨 있습니다.",
    ),
    "sign_in.too_many": (
        "Too many sign-ins failed from this address. Try again in {seconds} seconds.",
        "이 주소에서 로그인을 여러 번 실패했습니다. {seconds}초 뒤에 다시 해 주세요.",
    ),
    "sign_in.few": ("A few failed sign-ins an address.", "주소마다 로그인 실패는 몇 번까지입니다."),
    "sign_in.wait": ("Wait, then sign in.", "기다렸다가 로그인해 주세요."),
    "key.malformed": (
        "This is no key of llmflow: keys start with '{prefix}'. Make one on your account's page.",
        "llmflow의 키가 아닙니다: 키는 '{prefix}'로 시작합니다. 계정 메뉴에서 만들어 주세요.",
    ),
    "origin.other": (
        "This was sent from another site's page. Only pages of this address may write with a session; programs use a key.",
        "다른 사이트의 페이지에서 보낸 요청입니다. 로그인한 채로 쓰는 것은 이 주소의 페이지만 할 수 있습니다; 프로그램은 키를 "
        "쓰세요.",
    ),
    "account.name": (
        "{name} cannot be an account's name. Use 1 to 64 letters and digits of any script, and . _ @ + - inside; begin with a "
        "letter or digit.",
        "{name}은(는) 계정 이름이 될 수 없습니다. 글자와 숫자 1~64자를 쓰고 글자나 숫자로 시작하세요; "
        "가운데에는 점과 _ @ + - 도 됩니다.",
    ),
    "group.name": (
        "{name} cannot be a group. Use 1 to 100 letters and digits of any script, begin with one of them; inside, spaces and "
        "_ . , = & / + @ - are fine.",
        "{name}은(는) 그룹 이름이 될 수 없습니다. 글자와 숫자 1~100자를 쓰고 글자나 숫자로 시작하세요; "
        "가운데에는 빈칸, 점과 _ , = & / + @ - 도 됩니다.",
    ),
    "tenant.name": (
        "{name} cannot be a tenant. Use 1 to 64 lower-case letters, digits, _ and -.",
        "{name}은(는) 조직 이름이 될 수 없습니다. 영어 소문자, 숫자, _와 -를 1~64자로 쓰세요.",
    ),
    "group.reserved": (
        "No group may be named '{name}': '{everyone}' is everyone, and '{prefix}' begins own spaces.",
        "그룹 이름을 '{name}'(으)로 할 수 없습니다: '{everyone}'은 모두이고, '{prefix}'은 각자의 공간입니다.",
    ),
    "name.length": (
        "The name of this {kind} is empty or long. Use 1 to {most} characters.",
        "이름({kind})이 비었거나 깁니다. 1자에서 {most}자로 써 주세요.",
    ),
}
