"""The contract of `AccountStore`: names, groups, passwords and sign-ins of people."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmflow.adapters.sql_accounts import SqlAccountStore
from llmflow.errors import NameTaken, NotFound, Refused
from llmflow.ports import AccountStore, SignIn
from llmflow.types import Account, Role

Fresh = Callable[[], AccountStore]
NOON = "2026-11-25T12:00:00+00:00"


def account(name: str, tenant: str = "acme", **values) -> Account:
    return Account(f"id-{tenant}-{name}", tenant, name, values.pop("display_name", name.title()), **values)


def browser(of: str, token: str, expires_at: str = "", kind: str = "browser", created_at: str = NOON) -> SignIn:
    return SignIn(f"sign-in-{token}", of, kind, "Firefox", created_at, expires_at)


class AccountStoreContract:
    """Subclasses give `fresh`: a function that opens the same store again. Every test has an empty one."""

    @pytest.fixture
    def store(self, fresh: Fresh) -> Iterator[AccountStore]:
        store = fresh()
        yield store
        store.close()
        store.close()

    def test_nobody_is_there(self, store: AccountStore):
        assert store.account("x") is store.find("acme", "x") is store.by_subject("i", "s") is None
        assert store.credentials("acme", "x") is store.signed_in("hash", NOON) is None
        assert store.accounts("acme") == ([], 0)
        assert store.groups("acme") == {} and store.sign_ins("x") == []
        assert not store.delete("x") and not store.end_sign_in("x", "y") and not store.delete_group("acme", "x")
        assert not store.last_administrator("x")
        store.clear_failures("x")
        for change in (
            lambda: store.update("x", role=Role.ENGINEER),
            lambda: store.set_password("x", "h", False),
            lambda: store.count_failure("x", 3, 60),
            lambda: store.add_sign_in(browser("x", "t"), "hash"),
        ):
            with pytest.raises(NotFound):
                change()

    def test_everything_comes_back(self, store: AccountStore):
        made = account("kim", role=Role.ENGINEER, groups=("연구", "hr"), display_name="김 철수", created_at=NOON)
        store.create(made, "phc")
        found = store.account(made.id)
        assert found is not None and (found.groups, found.role, found.display_name) == (("hr", "연구"), Role.ENGINEER, "김 철수")
        assert (found.issuer, found.subject, found.disabled, found.must_change_password) == ("", "", False, False)
        assert found.created_at.startswith("2026-11-25T12:00:00") and found.seen_at == ""
        assert store.find("acme", "kim") == found
        kept = store.credentials("acme", "kim")
        assert kept is not None
        assert (kept.account, kept.password_hash, kept.must_change, kept.failures, kept.locked_until) == (
            found,
            "phc",
            False,
            0,
            "",
        )

    def test_names_are_one_without_case_and_apart_by_tenant(self, store: AccountStore):
        store.create(account("Kim"))
        store.create(account("kim", tenant="rival"))
        assert store.find("acme", "KIM") == store.account("id-acme-Kim")
        assert store.find("rival", "Kim") == store.account("id-rival-kim")
        with pytest.raises(NameTaken, match="'kIM' in 'acme'"):
            store.create(replace(account("kIM"), id="another"))
        assert store.account("another") is None
        with pytest.raises(NameTaken):
            store.create(replace(account("ｋｉｍ"), id="full width"))

    @pytest.mark.parametrize("name", ["", "  ", "x" * 257])
    def test_a_name_that_cannot_be_kept_is_refused(self, store: AccountStore, name: str):
        for create in (
            lambda: store.create(replace(account("x"), name=name)),
            lambda: store.create(replace(account("x"), tenant=name)),
            lambda: store.add_group("acme", name),
        ):
            with pytest.raises(Refused, match="1 to 256"):
                create()
        assert store.accounts("acme") == ([], 0)

    def test_of_two_that_create_the_first_one_does(self, store: AccountStore, fresh: Fresh):
        others = [fresh() for _ in range(4)]

        def create(place: int) -> bool:
            return others[place].create_first([(account(f"admin{place}"), "h"), (account(f"user{place}"), "h")])

        with ThreadPoolExecutor(4) as pool:
            created = list(pool.map(create, range(4)))
        assert sorted(created) == [False, False, False, True]
        winner = created.index(True)
        assert [found.name for found in store.accounts("acme")[0]] == [f"admin{winner}", f"user{winner}"]
        assert all(found.must_change_password for found in store.accounts("acme")[0])
        assert not store.create_first([(account("late", tenant="rival"), "h")])
        for other in others:
            other.close()

    def test_first_accounts_are_all_there_or_none(self, store: AccountStore):
        with pytest.raises(NameTaken):
            store.create_first([(account("a"), "h"), (replace(account("A"), id="other"), "h")])
        assert store.accounts("acme") == ([], 0)
        assert store.create_first([(account("a"), "h")])

    def test_a_subject_is_found_by_its_issuer(self, store: AccountStore):
        store.create(account("kim", issuer="https://a", subject="1"))
        store.create(account("lee", issuer="https://b", subject="1"))
        store.create(account("park"))
        store.create(account("choi"))
        found = store.by_subject("https://b", "1")
        assert found is not None and found.name == "lee"
        assert store.by_subject("https://b", "2") is store.by_subject("", "") is None
        with pytest.raises(NameTaken):
            store.create(account("other", issuer="https://a", subject="1"))

    def test_lists_are_by_name_and_in_pages(self, store: AccountStore):
        for name in ["나", "bob", "Alice", "가", "carol"]:
            store.create(account(name))
        store.create(account("zoe", tenant="rival"))
        names = ["Alice", "bob", "carol", "가", "나"]
        assert [found.name for found in store.accounts("acme")[0]] == names
        assert [[found.name for found in store.accounts("acme", "", 2, at)[0]] for at in (0, 2, 4, 6)] == [
            names[:2],
            names[2:4],
            names[4:],
            [],
        ]
        assert store.accounts("acme", "", 0) == ([], 5)

    def test_search_is_by_name_and_display_name_letter_for_letter(self, store: AccountStore):
        store.create(account("a_b", display_name="50% 김철수"))
        store.create(account("axb", display_name="Someone"))
        store.create(account("A_B", tenant="rival"))
        for search, expected in {
            "A_B": ["a_b"],
            "%": ["a_b"],
            "_": ["a_b"],
            "철수": ["a_b"],
            "SOME": ["axb"],
            "\\": [],
            "'; --": [],
            "": ["a_b", "axb"],
        }.items():
            found, total = store.accounts("acme", search)
            assert ([item.name for item in found], total) == (expected, len(expected)), search

    def test_any_search_finds_what_holds_it_and_nothing_else(self, store: AccountStore):
        names = ["a%b", "a_b", "a\\b", "ÀÉ", "김%", "x'y", 'q"r', "/z", "50%"]
        for place, name in enumerate(names):
            store.create(replace(account(name), id=str(place), display_name=""))

        @settings(max_examples=60, deadline=None, database=None)
        @given(search=st.one_of(st.text("ab%_\\/'\"àé김50", min_size=1, max_size=3), st.text(min_size=1, max_size=2)))
        def check(search: str):
            import unicodedata

            def folded(text: str) -> str:
                return unicodedata.normalize("NFKC", text).casefold()

            expected = sorted(name for name in names if folded(search) in folded(name) + "\n")
            assert sorted(found.name for found in store.accounts("acme", search)[0]) == expected

        check()

    def test_only_what_is_given_changes(self, store: AccountStore):
        store.create(account("kim", groups=("hr",)))
        before = store.account("id-acme-kim")
        assert before is not None and store.update(before.id) == before
        changed = store.update(before.id, display_name="Kim Cheol-su", role=Role.ADMINISTRATOR, groups=["law", "hr", "law"])
        assert (
            changed
            == replace(before, display_name="Kim Cheol-su", role=Role.ADMINISTRATOR, groups=("hr", "law"))
            == store.account(before.id)
        )
        assert store.accounts("acme", "cheol")[1] == 1
        assert store.update(before.id, groups=[], disabled=True).groups == ()
        assert store.update(before.id, disabled=False).disabled is False

    @pytest.mark.parametrize("group", ["*", "user:id-acme-kim", "user:"])
    def test_no_group_is_named_like_everyone_or_an_own_space(self, store: AccountStore, group: str):
        store.create(account("kim"))
        for change in (
            lambda: store.add_group("acme", group),
            lambda: store.update("id-acme-kim", groups=["hr", group]),
            lambda: store.create(account("lee", groups=(group,))),
        ):
            with pytest.raises(Refused, match="own spaces"):
                change()
        assert store.groups("acme") == {} and store.find("acme", "lee") is None

    def test_groups_are_counted_and_go_from_their_members(self, store: AccountStore):
        store.add_group("acme", "empty")
        store.create(account("kim", groups=("hr", "law")))
        store.create(account("lee", groups=("hr",)))
        store.create(account("zoe", tenant="rival", groups=("hr",)))
        assert dict(store.groups("acme")) == {"empty": 0, "hr": 2, "law": 1}
        assert list(store.groups("acme")) == ["empty", "hr", "law"]
        with pytest.raises(NameTaken):
            store.add_group("acme", "hr")
        assert store.delete_group("acme", "hr") and not store.delete_group("acme", "hr")
        assert [found.groups for found in store.accounts("acme")[0]] == [("law",), ()]
        assert dict(store.groups("rival")) == {"hr": 1}

    def test_deleting_takes_sign_ins_and_memberships(self, store: AccountStore):
        store.create(account("kim", groups=("hr",)))
        store.add_sign_in(browser("id-acme-kim", "t"), "hash")
        assert store.delete("id-acme-kim")
        assert store.account("id-acme-kim") is store.signed_in("hash", NOON) is None
        assert dict(store.groups("acme")) == {"hr": 0}
        store.create(account("kim"))
        assert store.sign_ins("id-acme-kim") == []

    def test_two_connections_cannot_take_away_the_last_two_administrators(self, fresh: Fresh, store: AccountStore):
        chiefs = [account(name, role=Role.ADMINISTRATOR) for name in ("a", "b")]
        for one in (*chiefs, account("r", tenant="rival", role=Role.ADMINISTRATOR), account("u")):
            store.create(one)
        other = fresh()
        try:
            for _ in range(8):
                start = Barrier(2)

                def demote(which: tuple[AccountStore, Account, dict], start: Barrier = start) -> bool:
                    through, who, change = which
                    start.wait(60)
                    try:
                        through.update(who.id, **change, keep_administrator=True)
                    except Refused as exc:
                        assert who.name in str(exc)
                        return False
                    return True

                changes = {"role": Role.USER}, {"disabled": True}
                with ThreadPoolExecutor(2) as pool:
                    done = list(pool.map(demote, zip((store, other), chiefs, changes, strict=True)))
                assert sorted(done) == [False, True], done
                for one in chiefs:
                    store.update(one.id, role=Role.ADMINISTRATOR, disabled=False)
        finally:
            other.close()
        store.update("id-acme-u", disabled=True, keep_administrator=True)
        store.update(chiefs[0].id, role=Role.ENGINEER, keep_administrator=True)
        with pytest.raises(Refused, match="only administrator"):
            store.update(chiefs[1].id, role=Role.USER, keep_administrator=True)
        store.update(chiefs[1].id, display_name="B", groups=["g"], disabled=False, keep_administrator=True)
        store.update(chiefs[1].id, role=Role.USER)

    def test_the_last_administrator_is_known(self, store: AccountStore):
        for name, role in {"a": Role.ADMINISTRATOR, "b": Role.ADMINISTRATOR, "c": Role.USER}.items():
            store.create(account(name, role=role))
        store.create(account("r", tenant="rival", role=Role.ADMINISTRATOR))
        assert not store.last_administrator("id-acme-a")
        assert store.last_administrator("id-rival-r")
        store.update("id-acme-b", disabled=True)
        assert store.last_administrator("id-acme-a")
        assert not store.last_administrator("id-acme-b") and not store.last_administrator("id-acme-c")

    def test_wrong_passwords_lock_and_a_lock_runs_out(self, store: AccountStore):
        store.create(account("kim"), "h")
        assert [store.count_failure("id-acme-kim", 3, 60) for _ in range(2)] == ["", ""]
        until = store.count_failure("id-acme-kim", 3, 60)
        assert until > NOON
        assert store.count_failure("id-acme-kim", 3, 3600) == until  # trying on does not move it
        kept = store.credentials("acme", "kim")
        assert kept is not None and (kept.failures, kept.locked_until) == (3, until)
        store.clear_failures("id-acme-kim")
        kept = store.credentials("acme", "kim")
        assert kept is not None and (kept.failures, kept.locked_until) == (0, "")
        for _ in range(3):
            store.count_failure("id-acme-kim", 3, 0)  # locked, and free at once
        assert store.count_failure("id-acme-kim", 3, 60) == ""
        kept = store.credentials("acme", "kim")
        assert kept is not None and (kept.failures, kept.locked_until) == (1, "")

    def test_failures_of_threads_at_once_are_all_counted(self, store: AccountStore):
        store.create(account("kim"), "h")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: store.count_failure("id-acme-kim", 100, 60), range(24)))
        kept = store.credentials("acme", "kim")
        assert kept is not None and kept.failures == 24

    def test_a_new_password_ends_browsers_and_locks_but_no_keys(self, store: AccountStore):
        store.create(account("kim"), "old", must_change=True)
        store.add_sign_in(browser("id-acme-kim", "b"), "browser hash")
        store.add_sign_in(browser("id-acme-kim", "k", kind="key"), "key hash")
        store.count_failure("id-acme-kim", 1, 60)
        store.set_password("id-acme-kim", "new", must_change=False)
        kept = store.credentials("acme", "kim")
        assert kept is not None and (kept.password_hash, kept.must_change, kept.locked_until) == ("new", False, "")
        assert store.signed_in("browser hash", NOON) is None
        assert store.signed_in("key hash", NOON) is not None

    def test_a_token_belongs_to_someone_until_it_expires_or_they_are_disabled(self, store: AccountStore):
        store.create(account("kim"))
        store.add_sign_in(browser("id-acme-kim", "a", "2026-11-26T00:00:00Z"), "until tomorrow")
        store.add_sign_in(browser("id-acme-kim", "b"), "for ever")
        found = store.signed_in("until tomorrow", NOON)
        assert found is not None and found[0].id == "id-acme-kim" and found[1].id == "sign-in-a"
        assert found[0].seen_at.startswith("2026-11-25T12:00:00")
        assert store.signed_in("until tomorrow", "2026-11-25T23:59:59.999999+00:00") is not None
        assert store.signed_in("until tomorrow", "2026-11-26T09:00:00+09:00") is None
        assert store.signed_in("for ever", "2036-01-01") is not None
        assert store.signed_in("unknown", NOON) is None
        store.update("id-acme-kim", disabled=True)
        assert store.signed_in("for ever", NOON) is None

    def test_use_is_noted_once_a_minute(self, store: AccountStore):
        store.create(account("kim"))
        store.add_sign_in(browser("id-acme-kim", "a"), "hash")
        seen = []
        for at in ("12:00:00", "12:00:30", "12:01:00", "12:01:59"):
            found = store.signed_in("hash", f"2026-11-25T{at}Z")
            assert found is not None
            seen.append((found[1].used_at[11:19], store.sign_ins("id-acme-kim")[0].used_at[11:19]))
        assert seen == [("", "12:00:00"), ("12:00:00", "12:00:00"), ("12:00:00", "12:01:00"), ("12:01:00", "12:01:00")]

    def test_sign_ins_are_listed_and_ended_by_their_owner(self, store: AccountStore):
        for name in ("kim", "lee"):
            store.create(account(name))
        store.add_sign_in(browser("id-acme-kim", "b", created_at="2026-11-25T13:00:00Z"), "1")
        store.add_sign_in(browser("id-acme-kim", "a", kind="key"), "2")
        assert [found.id for found in store.sign_ins("id-acme-kim")] == ["sign-in-a", "sign-in-b"]
        assert [found.id for found in store.sign_ins("id-acme-kim", "key")] == ["sign-in-a"]
        assert not store.end_sign_in("sign-in-a", "id-acme-lee")
        assert store.end_sign_in("sign-in-a", "id-acme-kim") and not store.end_sign_in("sign-in-a", "id-acme-kim")
        assert store.signed_in("2", NOON) is None

    def test_a_time_that_is_none_is_refused(self, store: AccountStore):
        store.create(account("kim"))
        with pytest.raises(Refused, match="ISO 8601"):
            store.add_sign_in(browser("id-acme-kim", "t", "tomorrow"), "hash")

    def test_two_connections_see_each_other(self, store: AccountStore, fresh: Fresh):
        other = fresh()
        other.create(account("kim"))
        assert store.find("acme", "kim") is not None
        other.close()


class TestSqlite(AccountStoreContract):
    @pytest.fixture
    def fresh(self, sqlite_state_url: str) -> Fresh:
        return lambda: SqlAccountStore(sqlite_state_url)


@pytest.mark.services
class TestPostgresql(AccountStoreContract):
    @pytest.fixture
    def fresh(self, postgres_state_url: str) -> Fresh:
        return lambda: SqlAccountStore(postgres_state_url)
