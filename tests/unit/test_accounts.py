"""Rules of accounts: passwords, names, groups, claims, limits. What is taken, what is not, and what nothing may ever give."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from llmflow.accounts.claims import ClaimSettings, read_claims
from llmflow.accounts.limits import AddressLimiter, AddressSettings
from llmflow.accounts.names import account_name, display_name, group_name, group_names, tenant_name
from llmflow.accounts.passwords import PasswordSettings, normal_password, one_time_password, password_problem
from llmflow.accounts.settings import AuthSettings, HashSettings, OidcSettings
from llmflow.accounts.tokens import new_token, token_hash
from llmflow.errors import Refused, SignInRequired
from llmflow.serving.people.password_hashing import PasswordHasher
from llmflow.types import EVERYONE, OWN_SPACE, Role

RULES = PasswordSettings()
LEAST = HashSettings(memory_kib=19456, passes=2, lanes=1)


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "5 characters"),
        ("elevenchars", "11 characters"),
        ("x" * 257, "257 characters"),
        ("passwordpassword", "first that anybody"),
        ("PasswordPassword", "first that anybody"),
        ("비밀번호비밀번호비밀번호", "first that anybody"),
        ("aaaaaaaaaaaaa", "first that anybody"),
        ("abcabcabcabcabc", "first that anybody"),
        ("123456789012", "first that anybody"),
        ("987654321098", "first that anybody"),
        ("abcdefghijklmn", "first that anybody"),
        ("kim.minjun2026", "little more than the name"),
        ("KIM.MINJUNkim.minjun", "little more than the name"),
        ("llmflow-llmflow-1", "little more than the name"),
        ("twelve\x00chars!", "control"),
        ("a line\nand one more", "control"),
    ],
)
def test_passwords_that_anybody_would_guess_are_refused(password, said):
    assert said in password_problem(password, "kim.minjun", RULES)


@pytest.mark.parametrize(
    "password", ["four words nobody joins", "오늘은점심에국수를먹었다", "kim.minjun eats noodles daily", "aB3$aB3$aB3$x"]
)
def test_length_is_enough_and_composition_is_not_asked_for(password):
    assert password_problem(password, "kim.minjun", RULES) == ""


def test_characters_are_counted_as_people_type_them():
    typed = "한국어로지은긴비밀번호다"
    assert len(typed) == 12 and password_problem(typed, "kim", RULES) == ""
    import unicodedata

    assert normal_password(unicodedata.normalize("NFD", typed)) == typed


def test_one_time_passwords_are_taken_and_differ():
    made = {one_time_password() for _ in range(200)}
    assert len(made) == 200
    assert all(password_problem(password, "kim", RULES) == "" for password in made)
    assert not set("".join(made)) & set("ilo01")


def test_a_hash_opens_for_its_password_only_and_no_hash_for_none():
    hasher = PasswordHasher(LEAST)
    hashed = hasher.hash("four words nobody joins")
    assert hashed.startswith("$argon2id$") and hasher.matches("four words nobody joins", hashed)
    assert not hasher.matches("four words nobody join", hashed)
    assert not hasher.matches("", "") and not hasher.matches("no account has this password", "")
    assert not hasher.matches("anything", "not a hash")
    assert not hasher.is_outdated(hashed)
    assert PasswordHasher(HashSettings(memory_kib=19456, passes=3, lanes=1)).is_outdated(hashed)


def test_tokens_are_long_and_only_their_hash_is_needed():
    made = {new_token("lf-") for _ in range(100)}
    assert len(made) == 100 and all(len(token) == 46 and token.startswith("lf-") for token in made)
    assert token_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert len(token_hash("\ud800")) == 64


@pytest.mark.parametrize("text", ["", " ", "-kim", "a b", "kim/lee", "x" * 65, "kim\n", "*", "a:b", "\x00", "ki\u202em"])
def test_what_cannot_name_an_account(text):
    if text.strip() == "kim":
        assert account_name(text) == "kim"  # outer spaces are a slip of the keyboard
        return
    with pytest.raises(Refused, match="cannot be an account's name"):
        account_name(text)


@given(st.text(max_size=120))
def test_no_text_becomes_a_group_that_means_everyone_or_an_own_space(text):
    try:
        kept = group_name(text)
    except Refused:
        return
    assert kept != EVERYONE and not kept.casefold().startswith(OWN_SPACE)
    assert group_name(kept) == kept and kept == kept.strip() and 0 < len(kept) <= 100
    assert not any(ord(character) < 32 for character in kept)


@pytest.mark.parametrize("text", ["user:1", "User:1", "ＵＳＥＲ：1", " user:1", "*", "", "a\tb", "a:b", "x" * 101])
def test_groups_that_are_refused(text):
    with pytest.raises(Refused):
        group_name(text)


def test_groups_are_sorted_and_kept_once():
    assert group_names(["it", "hr", " hr", "인사팀"]) == ("hr", "it", "인사팀")
    assert tenant_name("hanbit-2") == "hanbit-2"
    for wrong in ("", "Hanbit", "a/b", "한빛", "-a"):
        with pytest.raises(Refused):
            tenant_name(wrong)
    assert display_name(" 김\u202e \n 민준 ", "kim") == "김 민준" and display_name("\x00", "kim") == "kim"


CLAIMS = {"sub": "7", "preferred_username": "kim", "name": "Kim", "groups": ["/hr", "/llmflow/admins", "user:8", "*"]}


def test_claims_give_name_groups_and_the_strongest_role():
    settings = ClaimSettings(roles={"llmflow/admins": Role.ADMINISTRATOR, "hr": Role.ENGINEER})
    claimed = read_claims(CLAIMS, settings)
    assert (claimed.name, claimed.display_name, claimed.tenant, claimed.role) == ("kim", "Kim", "default", Role.ADMINISTRATOR)
    assert claimed.groups == ("hr", "llmflow/admins") and claimed.left_out == ("*", "user:8")


def test_claims_are_found_by_path_prefix_and_mapping():
    settings = ClaimSettings(
        groups="resource.chat.departments", group_prefix="D-", group_names={"D-7": "finance"}, role_claims=("https://a.b/roles",),
        roles={"eng": Role.ENGINEER}, tenant_claim="org", tenants={"HB": "hanbit"},
    )  # fmt: skip
    claims = {"sub": "1", "resource": {"chat": {"departments": ["D-7", "D-hr", "x"]}}, "https://a.b/roles": "eng", "org": "HB"}
    claimed = read_claims(claims, settings)
    assert (claimed.name, claimed.tenant, claimed.role, claimed.groups) == ("1", "hanbit", Role.ENGINEER, ("finance", "hr"))


@pytest.mark.parametrize(
    ("claims", "settings"),
    [
        ({}, {}),
        ({"sub": ""}, {}),
        ({"sub": 7}, {}),
        ({"sub": "1", "preferred_username": "a b"}, {}),
        ({"sub": "1", "groups": {"hr": True}}, {}),
        ({"sub": "1", "groups": [1]}, {}),
        ({"sub": "1"}, {"default_role": None}),
        ({"sub": "1"}, {"tenant_claim": "org", "tenants": {"HB": "hanbit"}}),
        ({"sub": "1", "org": "other"}, {"tenant_claim": "org", "tenants": {"HB": "hanbit"}}),
        ({"sub": "1", "org": ["HB", "NR"]}, {"tenant_claim": "org", "tenants": {"HB": "hanbit", "NR": "nuri"}}),
        ({"sub": "1", "groups": [f"g{n}" for n in range(501)]}, {}),
    ],
)
def test_claims_that_let_nobody_in(claims, settings):
    with pytest.raises(SignInRequired):
        read_claims(claims, ClaimSettings(**settings))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["sub", "preferred_username", "name", "groups", "roles", "realm_access", "org"]), JSON))
def test_no_claims_make_an_administrator_or_somebody_elses_space(claims):
    settings = ClaimSettings(roles={"llmflow-admins": Role.ADMINISTRATOR}, tenant_claim="org", tenants={"a": "t1"})
    try:
        claimed = read_claims(claims, settings)
    except SignInRequired:
        return
    assert claimed.role is Role.USER and claimed.tenant == "t1"
    assert account_name(claimed.name) == claimed.name and claimed.groups == group_names(claimed.groups)


def test_an_address_that_failed_too_often_waits_and_no_longer_than_the_window():
    limiter = AddressLimiter(AddressSettings(attempts=3, minutes=1), capacity=2)
    for second in (0, 10, 20):
        assert limiter.wait_s("a", second) == 0
        limiter.count("a", second)
    assert limiter.wait_s("a", 20) == 40 and limiter.wait_s("b", 20) == 0
    assert limiter.wait_s("a", 60) == 0, "the first failure has left the window"
    limiter.count("a", 61)
    assert limiter.wait_s("a", 61) == 9
    for other in ("b", "c"):
        limiter.count(other, 62)
    assert limiter.wait_s("a", 62) == 0, "only the latest addresses are remembered"


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "anybody"},
        {"mode": "oidc"},
        {"hashing": {"memory_kib": 1024}},
        {"password": {"min_length": 4}},
        {"home_tenant": "Not A Tenant"},
        {"first_accounts": [{"name": "a"}, {"name": "A"}]},
        {"first_accounts": [{"name": "a", "groups": ["user:1"]}]},
        {"public_url": "chat.example"},
        {"oidc": {"issuer": "http://idp.example", "client_id": "a"}},
        {"oidc": {"issuer": "https://idp.example?x=1", "client_id": "a"}},
        {"oidc": {"issuer": "https://idp.example", "client_id": "a", "signatures": ["HS256"]}},
        {"oidc": {"issuer": "https://idp.example", "client_id": "a", "signatures": ["none"]}},
    ],
)
def test_settings_that_would_be_unsafe_or_mean_nothing_are_refused(wrong):
    with pytest.raises(ValidationError):
        AuthSettings.model_validate(wrong)


def test_settings_that_hold():
    oidc = OidcSettings(issuer="http://127.0.0.1:9/realms/x", client_id="a", scopes=("profile",))
    assert oidc.scopes == ("openid", "profile")
    assert not AuthSettings(mode="oidc", oidc=oidc).asks_for_passwords
    assert AuthSettings(tenants=("b",), home_tenant="h").known_tenants == ("h", "b")
