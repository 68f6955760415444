"""The contract of `ConversationStore`: what was said is kept, is its owner's alone, and goes when it must."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmflow.adapters.sql_conversations import SqlConversationStore
from llmflow.errors import Busy, LlmflowError, NotFound, Refused
from llmflow.ports import ConversationStore, Message, MessageStatus
from llmflow.ports.conversations import WITHDRAWN
from llmflow.types import Citation

Fresh = Callable[[], ConversationStore]
DONE = MessageStatus.DONE
QUOTE = "The probation period is three months."


def citation(document: str = "d1", number: int = 1) -> Citation:
    return Citation(number, f"{document}.c", document, f"Title of {document}", f"{document}.md", 3, "Top > 하위", QUOTE)


def said(store: ConversationStore, session: str, owner: str, question: str, answer: str, *cited: Citation, **details) -> Message:
    _, pending = store.begin(session, owner, question)
    return store.finish(pending.id, owner, answer, DONE, cited, details)


def texts(store: ConversationStore, session: str, owner: str = "kim") -> list[str]:
    return [message.content for message in store.messages(session, owner)]


class ConversationStoreContract:
    """Subclasses give `fresh`: a function that opens the same store again. Every test has an empty one."""

    @pytest.fixture
    def store(self, fresh: Fresh) -> Iterator[ConversationStore]:
        store = fresh()
        yield store
        store.close()
        store.close()

    @pytest.fixture
    def session(self, store: ConversationStore) -> str:
        return store.create("acme", "kim").id

    def test_a_conversation_comes_back_as_it_was(self, store: ConversationStore, session: str):
        question, pending = store.begin(session, "kim", "수습 기간은?")
        assert (question.ordinal, question.role, question.status, question.content) == (0, "user", DONE, "수습 기간은?")
        assert (pending.ordinal, pending.role, pending.status, pending.content) == (1, "assistant", MessageStatus.PENDING, "")
        store.progress(pending.id, "kim", "세 달")
        assert texts(store, session) == ["수습 기간은?", "세 달"]
        details = {"found": True, "model": "m", "suspicious": ["c1"], "ttft_ms": 1.5}
        answer = store.finish(pending.id, "kim", "세 달입니다 [1][2].", DONE, [citation(), citation("d2", 2)], details)
        assert store.messages(session, "kim") == [question, answer]
        assert (answer.id, answer.status, answer.details, answer.created_at) == (pending.id, DONE, details, pending.created_at)
        assert answer.citations == (citation(), citation("d2", 2))
        found = store.session(session, "kim")
        assert found is not None and (found.title, found.messages, found.tenant) == ("수습 기간은?", 2, "acme")
        assert [item.ordinal for item in store.messages(session, "kim", after=0)] == [1]
        assert len(store.messages(session, "kim", limit=1)) == 1

    def test_a_title_is_the_first_question_in_short_unless_there_is_one(self, store: ConversationStore):
        long = store.create("acme", "kim")
        said(store, long.id, "kim", "word " * 40 + "\nend", "a")
        found = store.session(long.id, "kim")
        assert found is not None and len(found.title) <= 80 and found.title.startswith("word word") and found.title[-1] == "…"
        named = store.create("acme", "kim", "Mine")
        said(store, named.id, "kim", "question", "a")
        found = store.session(named.id, "kim")
        assert found is not None and found.title == "Mine"
        assert store.rename(named.id, "kim", "다른 이름").title == "다른 이름"

    def test_nobody_else_sees_or_changes_a_session(self, store: ConversationStore, session: str):
        answer = said(store, session, "kim", "secret question", "secret answer")
        question = store.messages(session, "kim")[0]
        _, pending = store.begin(session, "kim", "next")
        assert store.session(session, "lee") is None
        assert store.messages(session, "lee") == []
        assert store.sessions("lee") == store.sessions("lee", "secret") == ([], 0)
        assert not store.delete(session, "lee")
        store.progress(pending.id, "lee", "written over")
        for change in (
            lambda: store.rename(session, "lee", "x"),
            lambda: store.forget(session, "lee"),
            lambda: store.begin(session, "lee", "x"),
            lambda: store.begin_again(session, "lee", question.id),
            lambda: store.finish(pending.id, "lee", "x", DONE),
            lambda: store.rate(answer.id, "lee", "up"),
            lambda: store.rename("unknown", "kim", "x"),
            lambda: store.rate("unknown", "kim", "up"),
            lambda: store.rate(question.id, "kim", "up"),
        ):
            with pytest.raises(NotFound):
                change()
        assert texts(store, session) == ["secret question", "secret answer", "next", ""]

    def test_one_answer_of_a_session_is_written_at_a_time(self, store: ConversationStore, session: str):
        question, pending = store.begin(session, "kim", "first")
        for again in (lambda: store.begin(session, "kim", "x"), lambda: store.begin_again(session, "kim", question.id)):
            with pytest.raises(Busy, match="being written"):
                again()
        other = store.create("acme", "kim").id
        store.begin(other, "kim", "in another session")
        store.finish(pending.id, "kim", "a", DONE)
        store.begin(session, "kim", "second")
        assert [message.ordinal for message in store.messages(session, "kim")] == [0, 1, 2, 3]

    def test_of_many_answers_begun_at_once_one_is(self, store: ConversationStore, fresh: Fresh, session: str):
        others = [fresh() for _ in range(4)]

        def begin(place: int) -> bool:
            try:
                others[place % 4].begin(session, "kim", f"question {place}")
            except Busy:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            begun = list(pool.map(begin, range(8)))
        assert begun.count(True) == 1
        assert [message.ordinal for message in store.messages(session, "kim")] == [0, 1]
        for other in others:
            other.close()

    def test_asking_again_cuts_what_came_after(self, store: ConversationStore, session: str):
        for place in range(3):
            said(store, session, "kim", f"q{place}", f"a{place}", citation(f"d{place}"))
        questions = store.messages(session, "kim")[::2]
        kept, pending = store.begin_again(session, "kim", questions[1].id)
        assert (kept.content, pending.ordinal) == ("q1", 3)
        store.finish(pending.id, "kim", "new", DONE)
        assert texts(store, session) == ["q0", "a0", "q1", "new"]
        kept, pending = store.begin_again(session, "kim", questions[0].id, "edited")
        assert (kept.id, kept.content, kept.ordinal) == (questions[0].id, "edited", 0)
        assert texts(store, session) == ["edited", ""]
        assert store.sessions("kim", "edited")[1] == 1 and store.sessions("kim", "q1")[1] == 0
        store.finish(pending.id, "kim", "end", DONE)
        with pytest.raises(NotFound):
            store.begin_again(session, "kim", questions[2].id)
        with pytest.raises(Refused, match="Only a question"):
            store.begin_again(session, "kim", pending.id)

    def test_an_answer_is_finished_once(self, store: ConversationStore, session: str):
        _, pending = store.begin(session, "kim", "q")
        with pytest.raises(Refused):
            store.finish(pending.id, "kim", "x", MessageStatus.PENDING)
        store.finish(pending.id, "kim", "stopped here", MessageStatus.STOPPED)
        store.progress(pending.id, "kim", "late")
        with pytest.raises(Refused, match="finished already"):
            store.finish(pending.id, "kim", "late", DONE)
        assert texts(store, session) == ["q", "stopped here"]

    def test_silent_answers_are_interrupted_and_keep_what_had_come(self, store: ConversationStore, session: str):
        _, pending = store.begin(session, "kim", "q")
        before = datetime.now(UTC)
        store.progress(pending.id, "kim", "세 달까지")  # a sign of life
        assert store.interrupt_pending(before.isoformat()) == 0
        assert store.interrupt_pending((datetime.now(UTC) + timedelta(seconds=1)).isoformat()) == 1
        [_, found] = store.messages(session, "kim")
        assert (found.status, found.content) == (MessageStatus.INTERRUPTED, "세 달까지")
        assert store.sessions("kim", "달까지")[1] == 1
        store.begin(session, "kim", "next")  # free again
        assert store.finish(pending.id, "kim", "세 달까지입니다.", DONE).status is DONE  # its writer lived after all

    def test_sessions_are_newest_first_and_in_pages(self, store: ConversationStore):
        made = [store.create("acme", "kim", f"s{place}").id for place in range(5)]
        said(store, made[1], "kim", "q", "a")
        newest = [made[1], made[4], made[3], made[2], made[0]]
        assert [found.id for found in store.sessions("kim")[0]] == newest
        pages = [store.sessions("kim", "", 2, offset) for offset in (0, 2, 4, 9)]
        assert [[found.id for found in items] for items, _ in pages] == [newest[:2], newest[2:4], newest[4:], []]
        assert {total for _, total in pages} == {5}

    def test_a_question_keeps_what_it_was_asked_with_until_it_is_asked_with_something_else(self, store: ConversationStore):
        session = store.create("acme", "kim").id
        wished = {"space": "own", "instructions": "표로", "examples": [["질문", "답"]]}
        question, pending = store.begin(session, "kim", "수습 기간은?", wished)
        assert question.details == wished and pending.details == {}
        store.finish(pending.id, "kim", "세 달", DONE)
        asked, pending = store.begin_again(session, "kim", question.id)
        assert asked.details == question.details
        store.finish(pending.id, "kim", "세 달", DONE)
        asked, _ = store.begin_again(session, "kim", question.id, "휴가는?", {"space": "shared"})
        assert (asked.content, asked.details) == ("휴가는?", {"space": "shared"})
        assert store.messages(session, "kim")[0] == asked

    def test_search_reads_titles_and_messages_letter_for_letter(self, store: ConversationStore):
        plain = store.create("acme", "kim", "휴가 100%").id
        said(store, plain, "kim", "How_many days?", "Fifteen.")
        other = store.create("acme", "kim", "xxx").id
        said(store, other, "kim", "HowXmany", "A")
        said(store, store.create("acme", "lee", "휴가 100%").id, "lee", "How_many", "A")
        for search, expected in {"휴가": [plain], "how_many": [plain], "0%": [plain], "%": [plain], "FIFTEEN": [plain]}.items():
            assert [found.id for found in store.sessions("kim", search)[0]] == expected, search
        assert store.sessions("kim", "nowhere") == ([], 0)

    def test_any_search_is_what_plain_python_says(self, store: ConversationStore):
        said_by = {store.create("acme", "kim", title).id: title for title in ["a%b", "a_b", "A\\B", "김 철수", "x'y\"z", "%%"]}

        @settings(max_examples=40, deadline=None, database=None)
        @given(search=st.text("abAB%_\\'\"김철 x", min_size=1, max_size=3))
        def check(search: str):
            expected = {key for key, title in said_by.items() if search.casefold() in title.casefold()}
            assert {found.id for found in store.sessions("kim", search)[0]} == expected

        check()

    def test_judgements_replace_each_other(self, store: ConversationStore, session: str):
        answer = said(store, session, "kim", "q", "a", model="m", settings_id="s1")
        assert store.rate(answer.id, "kim", "down", "wrong", "better").rating == "down"
        judged = store.rate(answer.id, "kim", "up")
        assert (judged.rating, judged.reason, judged.correction) == ("up", "", "")
        assert store.rate(answer.id, "kim", "", "ignored").reason == ""
        assert store.feedback("acme") == ([], 0)
        with pytest.raises(Refused, match="up, down"):
            store.rate(answer.id, "kim", "good")
        _, pending = store.begin(session, "kim", "q2")
        with pytest.raises(Refused):
            store.rate(pending.id, "kim", "up")

    def test_feedback_is_the_tenants_newest_first(self, store: ConversationStore, session: str):
        first = said(store, session, "kim", "q1", "a1", model="m", settings_id="s")
        second = said(store, session, "kim", "q2", "a2")
        said(store, session, "kim", "q3", "not judged")
        theirs = store.create("rival", "zoe").id
        store.rate(said(store, theirs, "zoe", "q", "a").id, "zoe", "up")
        store.rate(first.id, "kim", "down", "틀림", "정답")
        store.rate(second.id, "kim", "up")
        rows, total = store.feedback("acme")
        assert ([row.message_id for row in rows], total) == ([second.id, first.id], 2)
        assert (rows[1].question, rows[1].answer, rows[1].rating, rows[1].reason) == ("q1", "a1", "down", "틀림")
        assert (rows[1].correction, rows[1].model, rows[1].settings_id, rows[1].session_id) == ("정답", "m", "s", session)
        assert [row.message_id for row in store.feedback("acme", "down")[0]] == [first.id]
        assert store.feedback("acme", limit=1, offset=1)[0] == rows[1:]

    def test_an_administrator_sees_the_own_tenant(self, store: ConversationStore, session: str):
        said(store, session, "kim", "question", "answer", citation())
        said(store, store.create("acme", "lee").id, "lee", "other", "answer")
        theirs = store.create("rival", "zoe").id
        said(store, theirs, "zoe", "question", "answer")
        assert store.tenant_sessions("acme")[1] == 2
        assert [found.id for found in store.tenant_sessions("acme", "kim")[0]] == [session]
        assert [found.id for found in store.tenant_sessions("acme", search="question")[0]] == [session]
        assert store.tenant_sessions("acme", "zoe") == ([], 0)
        assert store.tenant_messages("acme", session) == store.messages(session, "kim")
        assert store.tenant_messages("acme", theirs) == []

    def test_resetting_the_memory_is_kept_until_what_it_hid_is_cut(self, store: ConversationStore, session: str):
        assert store.forget(session, "kim").forgotten == -1
        for place in range(2):
            said(store, session, "kim", f"q{place}", f"a{place}")
        assert store.forget(session, "kim").forgotten == 3
        said(store, session, "kim", "q2", "a2")
        found = store.session(session, "kim")
        assert found is not None and found.forgotten == 3
        assert texts(store, session)[:2] == ["q0", "a0"]
        store.begin_again(session, "kim", store.messages(session, "kim")[2].id)
        found = store.session(session, "kim")
        assert found is not None and found.forgotten == 1

    def test_deleting_leaves_nothing(self, store: ConversationStore, session: str):
        answer = said(store, session, "kim", "question", "answer", citation())
        store.rate(answer.id, "kim", "up", "reason")
        stays = store.create("acme", "lee").id
        said(store, stays, "lee", "question", "answer")
        assert store.delete(session, "kim") and not store.delete(session, "kim")
        assert store.session(session, "kim") is None and store.messages(session, "kim") == []
        assert store.feedback("acme") == ([], 0) and store.sessions("kim", "question") == ([], 0)
        assert store.forget_document("d1") == ()
        for _ in range(3):
            store.begin(store.create("acme", "kim").id, "kim", "q")
        assert store.delete_account("kim") == 3 and store.delete_account("kim") == 0
        assert [row["conversation"] for row in store.conversations()] == [stays]

    def test_a_deleted_document_leaves_no_answer_that_cites_it(self, store: ConversationStore, session: str):
        gone = said(
            store, session, "kim", "수습 기간은?", f"세 달. {QUOTE} [1]", citation(), asked="수습 기간은 세 달?", model="m"
        )
        store.rate(gone.id, "kim", "down", "too long", QUOTE)
        stays = said(store, session, "kim", "other", "Another answer.", citation("d2"))
        rival = store.create("rival", "zoe").id
        english = said(store, rival, "zoe", "How long?", f"{QUOTE} [1]", citation())
        assert store.forget_document("d1") == tuple(sorted((session, rival)))
        found = store.messages(session, "kim")
        assert (found[1].content, found[1].status, found[1].rating, found[1].reason) == (WITHDRAWN["ko"], DONE, "", "")
        assert found[1].details == {"model": "m", "withdrawn": True} and found[1].correction == ""
        assert found[1].citations == (Citation(1, "d1.c", "d1", "", "", 3, "", ""),)
        assert found[3] == stays and found[0].content == "수습 기간은?"
        assert store.messages(rival, "zoe")[1].content == WITHDRAWN["en"]
        for search in ("probation", "세 달"):
            assert store.sessions("kim", search) == store.tenant_sessions("rival", search=search) == ([], 0)
        assert store.feedback("acme") == ([], 0)
        assert all(QUOTE not in str(row) for row in store.conversations())
        with pytest.raises(Refused):
            store.rate(english.id, "zoe", "up")
        assert store.forget_document("d1") == ()

    def test_an_answer_that_was_being_written_meanwhile_is_withdrawn_too(self, store: ConversationStore, session: str):
        _, pending = store.begin(session, "kim", "q")
        assert store.forget_document("d1") == ()
        answer = store.finish(pending.id, "kim", QUOTE, DONE, [citation("d2"), citation("d1")])
        assert (answer.content, answer.details) == (WITHDRAWN["en"], {"withdrawn": True})
        assert all(item.quote == "" for item in answer.citations)
        later = said(store, session, "kim", "q", QUOTE, citation())  # the document came back
        assert later.content == QUOTE

    def test_answers_and_deletions_at_once_leave_no_quote(self, store: ConversationStore, fresh: Fresh):
        sessions = [store.create("acme", "kim").id for _ in range(8)]
        pending = [store.begin(session, "kim", "q")[1].id for session in sessions]
        other = fresh()

        def finish(message: str) -> None:
            store.finish(message, "kim", QUOTE, DONE, [citation()])

        with ThreadPoolExecutor(4) as pool:
            work = [pool.submit(finish, message) for message in pending[:4]]
            work.append(pool.submit(other.forget_document, "d1"))
            work += [pool.submit(finish, message) for message in pending[4:]]
            for item in work:
                item.result()
        assert store.sessions("kim", "probation") == ([], 0)
        other.close()

    def test_a_deletion_between_the_look_and_the_write_waits(self, store: ConversationStore, fresh: Fresh, session, monkeypatch):
        from llmflow.adapters import sql_conversations

        look, other = sql_conversations._cites_forgotten, fresh()
        deletion = threading.Thread(target=other.forget_document, args=("d1",))

        def look_and_be_overtaken(*arguments) -> bool:
            found = look(*arguments)
            deletion.start()
            deletion.join(0.5)  # ends where nothing holds it back
            return found

        _, pending = store.begin(session, "kim", "q")
        monkeypatch.setattr(sql_conversations, "_cites_forgotten", look_and_be_overtaken)
        store.finish(pending.id, "kim", QUOTE, DONE, [citation()])
        deletion.join()
        assert store.messages(session, "kim")[1].content == WITHDRAWN["en"]
        other.close()

    def test_writers_of_one_session_never_wait_in_a_ring(self, store: ConversationStore, fresh: Fresh, session: str):
        answers = [said(store, session, "kim", f"q{place}", "a") for place in range(4)]
        other = fresh()

        def work(place: int) -> None:
            for turn in range(6):
                try:
                    if place % 2:
                        store.rate(answers[turn % 4].id, "kim", "up")
                    else:
                        question = other.messages(session, "kim")[2].id
                        pending = other.begin_again(session, "kim", question)[1]
                        other.finish(pending.id, "kim", "again", DONE)
                except (NotFound, Busy):
                    continue

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        assert [message.ordinal for message in store.messages(session, "kim")] == [0, 1, 2, 3]
        other.close()

    def test_conversations_are_rows_of_whole_answers_oldest_first(self, store: ConversationStore):
        first, second = store.create("acme", "kim").id, store.create("rival", "zoe").id
        store.create("acme", "empty")
        judged = said(store, first, "kim", "q1", "a1")
        _, failed = store.begin(first, "kim", "q2")
        store.finish(failed.id, "kim", "half", MessageStatus.FAILED)
        said(store, first, "kim", "q3", "a3")
        for model, text in (("tiny", "| a table |"), ("extractive", "a4")):
            _, shaped = store.begin(first, "kim", "q4", {"instructions": "As a table."})
            store.finish(shaped.id, "kim", text, DONE, (), {"model": model})
        said(store, second, "zoe", "q", "a")
        store.rate(judged.id, "kim", "down", "wrong", "better")
        rows = list(store.conversations())
        assert [row["conversation"] for row in rows] == [second, first]
        assert rows[1]["messages"] == [
            {"role": "user", "content": "q1"},
            {"role": "assistant", "content": "a1", "feedback": "down", "correction": "better"},
            {"role": "user", "content": "q3"},
            {"role": "assistant", "content": "a3", "feedback": None},
            {"role": "user", "content": "q4"},
            {"role": "assistant", "content": "a4", "feedback": None},
        ]
        assert (rows[1]["tenant"], rows[1]["user"]) == ("acme", "kim")
        assert [row["conversation"] for row in store.conversations(rows[0]["time"])] == [first]
        assert list(store.conversations("2100-01-01")) == []
        with pytest.raises(Refused, match="ISO 8601"):
            list(store.conversations("last week"))

    def test_text_that_no_database_keeps_is_kept_without_it(self, store: ConversationStore, session: str):
        answer = said(store, session, "kim", "a\x00b\ud800", "nul \x00 and half \udfff", asked="x\x00", ratio=float("nan"))
        assert texts(store, session) == ["a�b�", "nul � and half �"]
        assert answer.details == {"asked": "x�", "ratio": None}
        assert store.sessions("kim", "\x00")[1] == 1
        for found in (store.session("\x00", "kim"), store.messages("\ud800", "kim"), store.delete("\x00", "kim")):
            assert not found

    def test_a_restart_keeps_everything(self, store: ConversationStore, fresh: Fresh, session: str):
        said(store, session, "kim", "q", "a", citation())
        before = store.messages(session, "kim")
        store.close()
        again = fresh()
        assert again.messages(session, "kim") == before
        again.close()

    def test_many_sessions_are_exported_in_parts(self, store: ConversationStore):
        for place in range(12):
            said(store, store.create("acme", "kim").id, "kim", f"q{place}", "a")
        rows = iter(store.conversations())
        first = next(rows)
        store.delete(store.sessions("kim")[0][0].id, "kim")
        assert first["messages"][0]["content"] == "q0"
        assert 11 <= 1 + len(list(rows)) <= 12

    def test_errors_are_ours(self, store: ConversationStore, session: str):
        _, pending = store.begin(session, "kim", "q")
        with pytest.raises(LlmflowError):
            store.finish(pending.id, "kim", "a", DONE, (), {"object": object()})
        assert store.messages(session, "kim")[1].status is MessageStatus.PENDING


class TestSqlite(ConversationStoreContract):
    @pytest.fixture
    def fresh(self, sqlite_state_url: str) -> Fresh:
        return lambda: SqlConversationStore(sqlite_state_url)


@pytest.mark.services
class TestPostgresql(ConversationStoreContract):
    @pytest.fixture
    def fresh(self, postgres_state_url: str) -> Fresh:
        return lambda: SqlConversationStore(postgres_state_url)
