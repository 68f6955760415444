"""Users and groups: who may do what, one-time passwords shown once, groups that documents are shared with."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from apps.admin import texts
from apps.admin import texts_people as words
from apps.admin.client import every
from apps.admin.confirming import Act, Secret, ask, reveal
from apps.admin.page import open_page
from apps.admin.session import Visit, named, plain, say
from apps.admin.shapes import Account, Group
from apps.admin.tables import moment, show_table
from llmflow.accounts.permissions import Permission


def show(visit: Visit) -> None:
    groups = visit.client.groups().items
    names = [group.name for group in groups]
    people, departments = st.tabs([say(words.USERS), say(words.GROUPS)])
    with people:
        _show_users(visit, names)
    with departments:
        _show_groups(visit, groups)


def _show_users(visit: Visit, groups: Sequence[str]) -> None:
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    search = left.text_input(say(texts.SEARCH), key="user search", icon=":material/search:").strip()
    act = _creation(visit, groups)
    right.button(
        act.title, key="create user", type="primary", icon=":material/person_add:", on_click=ask, args=(act,), width="stretch"
    )
    users = list(every(lambda limit, offset: visit.client.users(search, limit, offset)))
    place = show_table([_row(user) for user in users], "users", say(words.NO_USERS), select=True)
    if place is not None:
        _show_user(visit, users[place], groups)
    elif users:
        st.caption(say(words.SELECT_USER))


def _row(user: Account) -> dict[str, Any]:
    state = words.DISABLED if user.disabled else words.ONE_TIME if user.must_change_password else words.ACTIVE
    return {
        say(words.NAME): user.name,
        say(words.SHOWN_NAME): user.display_name,
        say(words.ROLE): named(texts.ROLES, user.role),
        say(words.GROUPS): ", ".join(user.groups),
        say(words.STATE): say(state),
        say(words.COMES_FROM): user.issuer or say(words.LOCAL),
        say(words.SEEN): moment(user.seen_at),
        say(words.CREATED): moment(user.created_at),
    }


def _creation(visit: Visit, groups: Sequence[str]) -> Act:
    given: dict[str, Any] = {}

    def fields() -> Callable[[], str]:
        given["name"] = st.text_input(say(words.NAME), key="new name", max_chars=64).strip()
        given["shown"] = st.text_input(say(words.SHOWN_NAME), key="new shown", max_chars=100).strip()
        given["role"] = st.selectbox(say(words.ROLE), list(texts.ROLES), key="new role", format_func=_role)
        given["groups"] = st.multiselect(say(words.GROUPS), list(groups), key="new groups")
        return lambda: "" if given["name"] else say(words.NAME_MISSING)

    def run(reason: str) -> str:
        made = visit.client.create_user(given["name"], given["shown"], given["role"], given["groups"], reason)
        _reveal(made.name, made.one_time_password)
        return say(words.CREATED_TOLD, name=plain(made.name))

    return Act("create user", say(words.CREATE), say(words.CREATE_NAME), say(words.CREATE_EXPLAIN), run, fields=fields)


def _role(code: str) -> str:
    return named(texts.ROLES, code)


def _reveal(name: str, password: str) -> None:
    reveal(Secret(say(words.SECRET), say(words.SECRET_TEXT, name=name), password))


def _show_user(visit: Visit, user: Account, groups: Sequence[str]) -> None:
    with st.container(border=True):
        st.markdown(f"**{plain(user.display_name or user.name)}** · {plain(user.name)}")
        own = user.id == visit.me.id
        if user.issuer:
            st.caption(say(words.FROM_PROVIDER, issuer=plain(user.issuer)))
        if own:
            st.caption(say(words.YOURSELF))
        acts = [] if user.issuer else [(_change(visit, user, groups), "edit"), (_reset(visit, user), "key")]
        if not own:
            acts += [(_switch(visit, user), "toggle_on" if user.disabled else "block"), (_deletion(visit, user), "delete")]
        with st.container(horizontal=True):
            for act, icon in acts:
                st.button(act.title, key=act.key.split()[0], icon=f":material/{icon}:", on_click=ask, args=(act,))


def _change(visit: Visit, user: Account, groups: Sequence[str]) -> Act:
    given: dict[str, Any] = {}

    def fields() -> Callable[[], str]:
        roles = list(texts.ROLES)
        place = roles.index(user.role) if user.role in roles else 0
        given["display_name"] = st.text_input(
            say(words.SHOWN_NAME), user.display_name, key="changed shown", max_chars=100
        ).strip()
        given["role"] = st.selectbox(say(words.ROLE), roles, place, key="changed role", format_func=_role)
        known = sorted({*groups, *user.groups})
        given["groups"] = st.multiselect(say(words.GROUPS), known, user.groups, key="changed groups")
        return lambda: ""

    def run(reason: str) -> str:
        visit.client.change_user(user.id, reason, **given)
        return say(words.CHANGED, name=plain(user.name))

    return Act(f"change {user.id}", say(words.CHANGE), user.name, say(words.CHANGE_EXPLAIN), run, fields=fields)


def _reset(visit: Visit, user: Account) -> Act:
    def run(reason: str) -> str:
        _reveal(user.name, visit.client.reset_password(user.id, reason).one_time_password)
        return say(words.RESET_TOLD, name=plain(user.name))

    return Act(f"reset {user.id}", say(words.RESET), user.name, say(words.RESET_EXPLAIN), run)


def _switch(visit: Visit, user: Account) -> Act:
    title, explanation, told = (
        (words.ENABLE, words.ENABLE_EXPLAIN, words.ENABLED_TOLD)
        if user.disabled
        else (words.DISABLE, words.DISABLE_EXPLAIN, words.DISABLED_TOLD)
    )

    def run(reason: str) -> str:
        visit.client.change_user(user.id, reason, disabled=not user.disabled)
        return say(told, name=plain(user.name))

    return Act(f"switch {user.id}", say(title), user.name, say(explanation), run)


def _deletion(visit: Visit, user: Account) -> Act:
    def run(reason: str) -> str:
        visit.client.delete_user(user.id, reason)
        return say(words.DELETED, name=plain(user.name))

    return Act(f"delete {user.id}", say(words.DELETE), user.name, say(words.DELETE_EXPLAIN), run, type_name=True)


def _show_groups(visit: Visit, groups: Sequence[Group]) -> None:
    act = _group_creation(visit)
    st.button(act.title, key="create group", icon=":material/group_add:", on_click=ask, args=(act,))
    rows = [{say(words.GROUP): group.name, say(words.MEMBERS): group.members} for group in groups]
    place = show_table(rows, "groups", say(words.NO_GROUPS), select=True)
    if place is not None:
        gone = _group_deletion(visit, groups[place])
        with st.container(border=True):
            st.markdown(f"**{plain(groups[place].name)}**")
            st.button(gone.title, key="delete group", icon=":material/delete:", on_click=ask, args=(gone,))
    elif groups:
        st.caption(say(words.SELECT_GROUP))


def _group_creation(visit: Visit) -> Act:
    given: dict[str, str] = {}

    def fields() -> Callable[[], str]:
        given["name"] = st.text_input(say(words.NAME), key="new group", max_chars=64).strip()
        return lambda: "" if given["name"] else say(words.NAME_MISSING)

    def run(reason: str) -> str:
        visit.client.add_group(given["name"], reason)
        return say(words.GROUP_ADDED, name=plain(given["name"]))

    return Act("create group", say(words.ADD_GROUP), say(words.NEW_GROUP), say(words.ADD_GROUP_EXPLAIN), run, fields=fields)


def _group_deletion(visit: Visit, group: Group) -> Act:
    def run(reason: str) -> str:
        visit.client.delete_group(group.name, reason)
        return say(words.GROUP_DELETED, name=plain(group.name))

    explanation = say(words.DELETE_GROUP_EXPLAIN, count=group.members)
    return Act(f"delete group {group.name}", say(words.DELETE_GROUP), group.name, explanation, run, type_name=True)


if __name__ == "__main__":
    open_page(Permission.PEOPLE_MANAGE, texts.PEOPLE, show)
