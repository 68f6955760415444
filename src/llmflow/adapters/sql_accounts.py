"""Accounts, groups and sign-ins in the state database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from llmflow.adapters.sql_application_tables import accounts, groups, memberships, sign_ins, tenants
from llmflow.adapters.sql_prepared import Prepared
from llmflow.adapters.sql_state_database import IN_LIST
from llmflow.adapters.sql_values import ApplicationTables, earlier, folded, holds, instant, now, page_of, storable
from llmflow.batches import batched
from llmflow.errors import NameTaken, NotFound, Refused
from llmflow.ports import Credentials, SignIn
from llmflow.types import EVERYONE, OWN_SPACE, Account, Role
from llmflow.wording import said

USED_EVERY_S = 60.0
"""How stale `used_at` and `seen_at` may be: a request must not cost a write."""
LONGEST_NAME = 256
_SIGNED_IN = Prepared(
    select(
        sign_ins.c.id, sign_ins.c.account_id, sign_ins.c.kind, sign_ins.c.name, sign_ins.c.created_at, sign_ins.c.expires_at,
        sign_ins.c.used_at, accounts.c.tenant, accounts.c.name, accounts.c.display_name, accounts.c.role, accounts.c.issuer,
        accounts.c.subject, accounts.c.must_change, accounts.c.created_at, accounts.c.seen_at,
    )
    .join(accounts, accounts.c.id == sign_ins.c.account_id)
    .where(sign_ins.c.token_hash == bindparam("token_hash"), accounts.c.disabled.is_(False))
    .where((sign_ins.c.expires_at == "") | (sign_ins.c.expires_at > bindparam("present")))
)  # fmt: skip
"""Asked at every request: the fields of SignIn in order, then those of its account, which must not be disabled."""
_MEMBERSHIPS = Prepared(select(memberships.c.name).where(memberships.c.account_id == bindparam("account_id")))


class SqlAccountStore(ApplicationTables):
    """AccountStore on SQLite or PostgreSQL. Groups that an account is given are made where the tenant lacks them."""

    def create(self, account: Account, password_hash: str = "", must_change: bool = False) -> None:
        with self._write() as connection:
            _create(connection, account, password_hash, must_change)

    def create_first(self, accounts: Sequence[tuple[Account, str]]) -> bool:
        with self._write() as connection:
            if not _empty(connection):
                return False
            for account, password_hash in accounts:
                _create(connection, account, password_hash, must_change=True)
            return True

    def account(self, account_id: str) -> Account | None:
        with self._read() as connection:
            return _one(connection, select(accounts).where(accounts.c.id == storable(account_id)))

    def find(self, tenant: str, name: str) -> Account | None:
        with self._read() as connection:
            return _one(connection, _named(tenant, name))

    def by_subject(self, issuer: str, subject: str) -> Account | None:
        if not (issuer and subject):
            return None
        wanted = (accounts.c.issuer == storable(issuer)) & (accounts.c.subject == storable(subject))
        with self._read() as connection:
            return _one(connection, select(accounts).where(wanted))

    def accounts(self, tenant: str, search: str = "", limit: int = 100, offset: int = 0) -> tuple[list[Account], int]:
        statement = select(accounts).where(accounts.c.tenant == storable(tenant)).order_by(accounts.c.name_key)
        with self._read() as connection:
            if search:
                statement = statement.where(holds(accounts.c.folded, search, connection))
            rows, total = page_of(connection, statement, limit, offset)
            return _accounts(connection, rows), total

    def update(
        self,
        account_id: str,
        *,
        display_name: str | None = None,
        role: Role | None = None,
        groups: Sequence[str] | None = None,
        disabled: bool | None = None,
        keep_administrator: bool = False,
    ) -> Account:
        with self._write() as connection:
            if keep_administrator and (disabled or role not in (None, Role.ADMINISTRATOR)):
                _keep_administrator(connection, account_id)
            row = _locked(connection, account_id)
            values: dict[str, Any] = {}
            if display_name is not None:
                values |= {"display_name": storable(display_name), "folded": _searched(row.name, display_name)}
            if role is not None:
                values["role"] = str(Role(role))
            if disabled is not None:
                values["disabled"] = disabled
            if values:
                connection.execute(update(accounts).where(accounts.c.id == row.id).values(**values))
            if groups is not None:
                connection.execute(delete(memberships).where(memberships.c.account_id == row.id))
                _join(connection, row.id, row.tenant, groups)
            found = _one(connection, select(accounts).where(accounts.c.id == row.id))
            assert found is not None
            return found

    def delete(self, account_id: str) -> bool:
        with self._write() as connection:
            return bool(connection.execute(delete(accounts).where(accounts.c.id == storable(account_id))).rowcount)

    def last_administrator(self, account_id: str) -> bool:
        administrators = (accounts.c.role == str(Role.ADMINISTRATOR)) & (accounts.c.disabled.is_(False))
        with self._read() as connection:
            tenant = select(accounts.c.tenant).where(accounts.c.id == storable(account_id)).scalar_subquery()
            statement = select(accounts.c.id).where(accounts.c.tenant == tenant, administrators).limit(2)
            return list(connection.execute(statement).scalars()) == [account_id]

    def credentials(self, tenant: str, name: str) -> Credentials | None:
        with self._read() as connection:
            row = connection.execute(_named(tenant, name)).one_or_none()
            if row is None:
                return None
            [account] = _accounts(connection, [row])
            return Credentials(account, row.password_hash, row.must_change, row.failures, row.locked_until)

    def set_password(self, account_id: str, password_hash: str, must_change: bool) -> None:
        with self._write() as connection:
            row = _locked(connection, account_id)
            new = {"password_hash": password_hash, "must_change": must_change, "failures": 0, "locked_until": ""}
            connection.execute(update(accounts).where(accounts.c.id == row.id).values(**new))
            connection.execute(delete(sign_ins).where(sign_ins.c.account_id == row.id, sign_ins.c.kind == "browser"))

    def count_failure(self, account_id: str, limit: int, lock_s: int) -> str:
        with self._write() as connection:
            row = _locked(connection, account_id)
            present = now()
            if row.locked_until > present:
                return row.locked_until
            failures = 1 if row.locked_until else row.failures + 1  # a lock that has run out starts the count anew
            locked_until = now(lock_s) if failures >= limit else ""
            changed = update(accounts).where(accounts.c.id == row.id)
            connection.execute(changed.values(failures=failures, locked_until=locked_until))
            return locked_until

    def clear_failures(self, account_id: str) -> None:
        with self._write() as connection:
            own = update(accounts).where(accounts.c.id == storable(account_id))
            connection.execute(own.values(failures=0, locked_until=""))

    def add_sign_in(self, sign_in: SignIn, token_hash: str) -> None:
        created = instant(sign_in.created_at)
        with self._write() as connection:
            _locked(connection, sign_in.account_id)
            connection.execute(delete(sign_ins).where(sign_ins.c.expires_at != "", sign_ins.c.expires_at <= created))
            seen = update(accounts).where(accounts.c.id == sign_in.account_id)
            connection.execute(seen.values(seen_at=created))
            connection.execute(
                insert(sign_ins).values(
                    id=sign_in.id,
                    account_id=sign_in.account_id,
                    kind=sign_in.kind,
                    name=storable(sign_in.name),
                    token_hash=token_hash,
                    created_at=created,
                    expires_at=instant(sign_in.expires_at),
                    used_at=instant(sign_in.used_at),
                )
            )

    def signed_in(self, token_hash: str, now: str) -> tuple[Account, SignIn] | None:
        present = instant(now)
        with self._database._ask(2) as reading:
            rows = _SIGNED_IN.rows(reading, token_hash=storable(token_hash), present=present)
            if not rows:
                return None
            [row] = rows
            names = _MEMBERSHIPS.rows(reading, account_id=row[1])
        sign_in, (tenant, name, shown, role, issuer, subject, must_change, created, seen) = SignIn(*row[:7]), row[7:]
        groups = tuple(sorted(group for (group,) in names))
        account = Account(
            id=sign_in.account_id, tenant=tenant, name=name, display_name=shown, role=Role(role), groups=groups,
            issuer=issuer or "", subject=subject or "", must_change_password=bool(must_change), created_at=created, seen_at=seen,
        )  # fmt: skip
        self._note_use(sign_in, present)
        return account, sign_in

    def sign_ins(self, account_id: str, kind: str | None = None) -> list[SignIn]:
        statement = select(sign_ins).where(sign_ins.c.account_id == storable(account_id))
        if kind is not None:
            statement = statement.where(sign_ins.c.kind == kind)
        with self._read() as connection:
            return [_sign_in(row) for row in connection.execute(statement.order_by(sign_ins.c.created_at, sign_ins.c.id))]

    def end_sign_in(self, sign_in_id: str, account_id: str) -> bool:
        own = (sign_ins.c.id == storable(sign_in_id)) & (sign_ins.c.account_id == storable(account_id))
        with self._write() as connection:
            return bool(connection.execute(delete(sign_ins).where(own)).rowcount)

    def groups(self, tenant: str) -> Mapping[str, int]:
        members = (memberships.c.tenant == groups.c.tenant) & (memberships.c.name == groups.c.name)
        statement = (
            select(groups.c.name, func.count(memberships.c.account_id))
            .select_from(groups.outerjoin(memberships, members))
            .where(groups.c.tenant == storable(tenant))
            .group_by(groups.c.name)
            .order_by(groups.c.name)
        )
        with self._read() as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}

    def add_group(self, tenant: str, name: str) -> None:
        with self._write() as connection:
            if not _make_groups(connection, tenant, [name]):
                raise NameTaken(said("group.taken", name=name, tenant=tenant))

    def delete_group(self, tenant: str, name: str) -> bool:
        own = (groups.c.tenant == storable(tenant)) & (groups.c.name == storable(name))
        with self._write() as connection:
            return bool(connection.execute(delete(groups).where(own)).rowcount)

    def _note_use(self, sign_in: SignIn, present: str) -> None:
        """Keep when a sign-in was used, once a minute."""
        stale = earlier(present, USED_EVERY_S)
        if sign_in.used_at > stale:
            return
        with self._write() as connection:
            connection.execute(update(sign_ins).where(sign_ins.c.id == sign_in.id).values(used_at=present))
            connection.execute(update(accounts).where(accounts.c.id == sign_in.account_id).values(seen_at=present))


def _empty(connection: Connection) -> bool:
    """Return whether there is no account at all, and let nobody else make one until this transaction ends."""
    if connection.dialect.name == "postgresql":  # nothing is there that could be locked by its row
        connection.exec_driver_sql(f"LOCK TABLE {accounts.name} IN SHARE ROW EXCLUSIVE MODE")
    return connection.execute(select(accounts.c.id).limit(1)).first() is None


def _create(connection: Connection, account: Account, password_hash: str, must_change: bool) -> None:
    name = storable(account.name)
    _checked_name(name, "account")
    _make_tenant(connection, account.tenant)
    values = {
        "id": account.id,
        "tenant": storable(account.tenant),
        "name": name,
        "name_key": folded(name),
        "display_name": storable(account.display_name),
        "folded": _searched(name, account.display_name),
        "role": str(account.role),
        "issuer": storable(account.issuer) or None,
        "subject": storable(account.subject) or None,
        "disabled": account.disabled,
        "password_hash": password_hash,
        "must_change": must_change or account.must_change_password,
        "failures": 0,
        "locked_until": "",
        "created_at": instant(account.created_at) or now(),
        "seen_at": instant(account.seen_at),
    }
    try:
        connection.execute(insert(accounts).values(**values))
    except IntegrityError as exc:
        raise NameTaken(said("user.taken", name=account.name, tenant=account.tenant)) from exc
    _join(connection, account.id, account.tenant, account.groups)


def _join(connection: Connection, account_id: str, tenant: str, names: Sequence[str]) -> None:
    wanted = sorted({storable(name) for name in names})
    _make_groups(connection, tenant, wanted)
    if wanted:
        rows = [{"account_id": account_id, "tenant": storable(tenant), "name": name} for name in wanted]
        connection.execute(insert(memberships), rows)


def _make_groups(connection: Connection, tenant: str, names: Sequence[str]) -> int:
    """Make the groups that the tenant lacks and return how many."""
    for name in names:
        _checked_name(name, "group")
        if name == EVERYONE or name.startswith(OWN_SPACE):
            raise Refused(said("group.reserved", name=name, everyone=EVERYONE, prefix=OWN_SPACE))
    _make_tenant(connection, tenant)
    rows = [{"tenant": storable(tenant), "name": storable(name)} for name in names]
    return sum(_add_missing(connection, groups, row) for row in rows)


def _make_tenant(connection: Connection, tenant: str) -> None:
    _checked_name(tenant, "tenant")
    _add_missing(connection, tenants, {"name": storable(tenant), "created_at": now()})


def _add_missing(connection: Connection, table: Any, row: Mapping[str, Any]) -> int:
    """Insert a row unless one with its key is there; return how many were inserted."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_of
    else:
        from sqlalchemy.dialects.sqlite import insert as insert_of
    added = insert_of(table).values(**row).on_conflict_do_nothing().returning(literal(1))
    return len(connection.execute(added).all())


def _checked_name(name: str, kind: str) -> None:
    if not name.strip() or max(len(name), len(folded(name))) > LONGEST_NAME:
        raise Refused(said("name.length", kind=kind, most=LONGEST_NAME))


def _keep_administrator(connection: Connection, account_id: str) -> None:
    """Lock the tenant's enabled administrators until the transaction ends; refuse where the account is the only one.

    They are locked in one order, so that two transactions wait for each other instead of deadlocking. PostgreSQL looks again at
    rows that it waited for, so the second sees what the first did; SQLite has one writer at a time.
    """
    own = select(accounts.c.tenant).where(accounts.c.id == storable(account_id)).scalar_subquery()
    enabled = (accounts.c.role == str(Role.ADMINISTRATOR)) & (accounts.c.disabled.is_(False))
    statement = select(accounts.c.id, accounts.c.name).where(accounts.c.tenant == own, enabled).order_by(accounts.c.id)
    found = connection.execute(statement.with_for_update()).all()
    if [row.id for row in found] == [account_id]:
        raise Refused(said("user.last_administrator", name=found[0].name))


def _locked(connection: Connection, account_id: str) -> Row[Any]:
    row = connection.execute(select(accounts).where(accounts.c.id == storable(account_id)).with_for_update()).one_or_none()
    if row is None:
        raise NotFound(said("account.none", account=account_id[:64]))
    return row


def _named(tenant: str, name: str) -> Select[Any]:
    return select(accounts).where(accounts.c.tenant == storable(tenant), accounts.c.name_key == folded(name))


def _searched(name: str, display_name: str) -> str:
    return folded(f"{name}\n{display_name}")


def _one(connection: Connection, statement: Select[Any]) -> Account | None:
    row = connection.execute(statement).one_or_none()
    return _accounts(connection, [row])[0] if row is not None else None


def _accounts(connection: Connection, rows: Sequence[Row[Any]]) -> list[Account]:
    """Return accounts with their groups, in the order of the rows."""
    mine: dict[str, list[str]] = {row.id: [] for row in rows}
    for part in batched(mine, IN_LIST):
        statement = select(memberships.c.account_id, memberships.c.name).where(memberships.c.account_id.in_(part))
        for account_id, name in connection.execute(statement):
            mine[account_id].append(name)
    return [
        Account(
            id=row.id,
            tenant=row.tenant,
            name=row.name,
            display_name=row.display_name,
            role=Role(row.role),
            groups=tuple(sorted(mine[row.id])),
            issuer=row.issuer or "",
            subject=row.subject or "",
            disabled=row.disabled,
            must_change_password=row.must_change,
            created_at=row.created_at,
            seen_at=row.seen_at,
        )
        for row in rows
    ]


def _sign_in(row: Row[Any]) -> SignIn:
    return SignIn(row.id, row.account_id, row.kind, row.name, row.created_at, row.expires_at, row.used_at)
