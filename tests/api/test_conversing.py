"""Conversations over the real stores: what is kept before, while and after an answer, whatever becomes of it."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from api_parts import KIM, LEE, PARK, SENTENCES, Answering, make_conversations, open_stores

from llmflow.errors import AnswerPending, Busy, ModelInterrupted, ModelUnavailable, NotFound, Refused
from llmflow.ports import Message, MessageStatus
from llmflow.serving.conversations.answer_run import complete
from llmflow.serving.questions import QuestionRefused
from llmflow.types import ChatTurn

LEAVE = "How much leave is there?"


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    found = open_stores(tmp_path_factory.mktemp("state"))
    yield found
    found.close()


@pytest.fixture
def answering():
    return Answering()


@pytest.fixture
def talk(stores, answering):
    return make_conversations(stores, answering)


@pytest.fixture
def session(talk):
    return talk.create(KIM)


def kept(talk, session) -> list[Message]:
    return talk.messages(KIM, session.id)


def events(stores, account=KIM):
    since = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    return [event for event in stores.events.events(account.tenant, since) if event.account_id == account.id]


def test_an_answer_is_kept_with_its_question_its_sources_and_its_figures(talk, session, stores):
    *pieces, message = talk.ask(KIM, session.id, f"  {LEAVE} ")
    assert "".join(pieces) == message.content == f"{SENTENCES[0]} [1] {SENTENCES[1]} [1]"
    question, answer = kept(talk, session)
    assert (question.role, question.content, question.ordinal) == ("user", LEAVE, 0)
    assert answer == message and answer.status == MessageStatus.DONE
    assert answer.citations[0].quote == SENTENCES[0]
    assert answer.details["found"] and answer.details["model"] == "tiny" and answer.details["settings_id"] == "s1"
    assert 0 < answer.details["ttft_ms"] <= answer.details["total_ms"]
    assert talk.session(KIM, session.id).title == LEAVE
    event = events(stores)[-1]
    assert (event.message_id, event.channel, event.groups, event.found) == (answer.id, "chat", ("hr",), True)
    assert (event.prompt_tokens, event.completion_tokens, event.status) == (30, 12, "done")


def test_question_and_pending_answer_are_there_before_a_word_is_generated(talk, session, answering):
    run = talk.ask(KIM, session.id, LEAVE)
    assert answering.asked == []
    assert [(m.role, m.status) for m in kept(talk, session)] == [("user", "done"), ("assistant", "pending")]
    assert (run.question, run.pending) == tuple(kept(talk, session))
    complete(run)


def test_what_has_come_is_kept_while_the_rest_is_written(talk, session, answering):
    answering.gate.clear()
    run = talk.ask(KIM, session.id, LEAVE)
    reader = threading.Thread(target=complete, args=(run,))
    reader.start()
    assert answering.waiting.wait(60)
    talk._store.progress(run.pending.id, KIM.id, SENTENCES[0])
    assert kept(talk, session)[1].content == SENTENCES[0]
    answering.gate.set()
    reader.join(60)
    assert kept(talk, session)[1].status == MessageStatus.DONE


def test_progress_is_kept_by_itself(stores, answering, session):
    talk = make_conversations(stores, answering, progress_s=1e-9)
    run = talk.ask(KIM, session.id, LEAVE)
    next(run)
    assert kept(talk, session)[1].content == f"{SENTENCES[0]} [1]"
    run.close()


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_closing_keeps_what_came_as_stopped_and_frees_the_session(talk, session, answering, steps):
    run = talk.ask(KIM, session.id, LEAVE)
    for _ in range(steps):
        next(run)
    run.close()
    run.close()
    answer = kept(talk, session)[1]
    assert answer.status == MessageStatus.STOPPED
    assert answer.content == " ".join((f"{SENTENCES[0]} ", f"{SENTENCES[1]} ")[:steps])  # marks without sources are left out
    assert next(run) == answer
    assert list(run) == []
    assert talk.slots.counts() == (0, 0) and answering.closed == (1 if steps else 0)
    complete(talk.ask(KIM, session.id, LEAVE))


def test_another_thread_may_stop_an_answer_that_waits_for_its_model(talk, session, answering):
    answering.gate.clear()
    run = talk.ask(KIM, session.id, LEAVE)
    items = []
    reader = threading.Thread(target=lambda: items.extend(run))
    reader.start()
    assert answering.waiting.wait(60)
    run.close()
    assert kept(talk, session)[1].status == MessageStatus.STOPPED  # at once, not when the model speaks again
    assert talk.slots.counts() == (1, 0)  # the model is still at work
    answering.gate.set()
    reader.join(60)
    assert items[-1].status == MessageStatus.STOPPED
    assert talk.slots.counts() == (0, 0) and answering.closed == 1


def test_an_answer_that_nobody_reads_any_more_gives_its_place_back(talk, session):
    run = talk.ask(KIM, session.id, LEAVE)
    next(run)
    del run
    assert kept(talk, session)[1].status == MessageStatus.STOPPED
    assert talk.slots.counts() == (0, 0)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ModelInterrupted("The model died."), MessageStatus.INTERRUPTED, "The model died."),
        (ModelUnavailable("No model."), MessageStatus.FAILED, "No model."),
        (RuntimeError("internal secret"), MessageStatus.FAILED, "Something failed on our side."),
    ],
)
def test_an_error_is_raised_and_kept_with_what_came(talk, session, answering, stores, error, status, said):
    answering.error = error
    run = talk.ask(KIM, session.id, LEAVE)
    assert next(run) == f"{SENTENCES[0]} [1]"
    with pytest.raises(type(error)):
        next(run)
    answer = kept(talk, session)[1]
    assert (answer.status, answer.content, answer.details["error"]) == (status, f"{SENTENCES[0]} ", said)
    assert talk.slots.counts() == (0, 0)
    assert events(stores)[-1].status == status and not events(stores)[-1].found


def test_what_a_dead_process_left_is_interrupted_at_start_and_can_be_asked_again(stores, session, answering):
    dead = make_conversations(stores, answering)
    run = dead.ask(KIM, session.id, LEAVE)
    next(run)
    run._keeper.progress(SENTENCES[0])
    run._ended = run._exhausted = True  # as after kill -9: nothing of it is ever finished
    again = make_conversations(stores, answering)
    assert again.start() == 1
    answer = kept(again, session)[1]
    assert (answer.status, answer.content) == (MessageStatus.INTERRUPTED, SENTENCES[0])
    assert complete(again.again(KIM, session.id, answer.id)).status == MessageStatus.DONE


def test_a_server_that_ends_keeps_what_runs_as_interrupted(talk, session):
    run = talk.ask(KIM, session.id, LEAVE)
    next(run)
    talk.close()
    assert kept(talk, session)[1].status == MessageStatus.INTERRUPTED
    assert next(run).status == MessageStatus.INTERRUPTED


def test_one_answer_of_a_session_at_a_time(talk, session):
    run = talk.ask(KIM, session.id, LEAVE)
    with pytest.raises(AnswerPending):
        talk.ask(KIM, session.id, LEAVE)
    with pytest.raises(AnswerPending):
        talk.again(KIM, session.id, run.question.id)
    assert talk.slots.counts() == (1, 0)
    complete(run)
    assert len(kept(talk, session)) == 2


def test_personal_data_is_masked_before_it_is_kept_and_counted(talk, session, answering, stores):
    answering.error = ModelInterrupted("x")
    run = talk.ask(KIM, session.id, "leave of hong@example.com, 010-1234-5678?")
    assert answering.asked == []
    with pytest.raises(ModelInterrupted):
        list(run)
    assert "hong@example.com" in answering.asked[0][0]  # the answerer masks it, and has to know that it did
    everything = json.dumps([m.content for m in kept(talk, session)]) + talk.session(KIM, session.id).title
    assert "hong@" not in everything and "1234" not in everything and "[EMAIL]" in everything
    assert dict(events(stores)[-1].pii) == {"EMAIL": 1, "PHONE": 1}
    talk.rename(KIM, session.id, "about lee@example.com")
    assert talk.session(KIM, session.id).title == "about [EMAIL]"


def test_history_is_what_was_answered_from_the_store_without_the_rest(talk, session, answering):
    complete(talk.ask(KIM, session.id, LEAVE))
    first = answering.asked[-1]
    complete(talk.ask(KIM, session.id, "zebra"))  # nothing found
    stopped = talk.ask(KIM, session.id, LEAVE)
    next(stopped)
    stopped.close()
    complete(talk.ask(KIM, session.id, "And leave of others?"))
    question, principal, session_id, history, _ = answering.asked[-1]
    assert first[3] == () and (question, session_id) == ("And leave of others?", session.id)
    assert principal == KIM.principal()
    assert history == (ChatTurn("user", LEAVE), ChatTurn("assistant", f"{SENTENCES[0]} [1] {SENTENCES[1]} [1]"))


def test_a_reset_memory_stays_reset_and_the_messages_stay(talk, session, answering, stores):
    complete(talk.ask(KIM, session.id, LEAVE))
    assert talk.forget_memory(KIM, session.id).forgotten == 1
    assert answering.forgotten == [session.id]
    complete(make_conversations(stores, answering).ask(KIM, session.id, LEAVE))
    assert answering.asked[-1][3] == ()
    complete(talk.ask(KIM, session.id, LEAVE))
    assert len(answering.asked[-1][3]) == 2 and len(kept(talk, session)) == 6


def test_again_cuts_what_came_after_and_takes_new_words(talk, session, answering):
    complete(talk.ask(KIM, session.id, LEAVE))
    complete(talk.ask(KIM, session.id, "leave once more"))
    question, answer, *_ = kept(talk, session)
    assert complete(talk.again(KIM, session.id, answer.id)).id not in {answer.id}
    assert kept(talk, session)[0].content == LEAVE and len(kept(talk, session)) == 2
    assert answering.asked[-1][3] == ()
    complete(talk.again(KIM, session.id, question.id, "What of unused leave? hong@example.com"))
    assert kept(talk, session)[0].content == "What of unused leave? [EMAIL]"
    with pytest.raises(NotFound):
        talk.again(KIM, session.id, "no such message")


@pytest.mark.parametrize(("text", "fault"), [("", "empty"), (" \n", "empty"), ("x" * 2001, "too_long"), ("a\x00", "control")])
def test_a_question_that_cannot_be_asked_leaves_nothing(talk, session, text, fault):
    with pytest.raises(QuestionRefused) as refused:
        talk.ask(KIM, session.id, text)
    assert refused.value.fault == fault
    assert kept(talk, session) == [] and talk.slots.counts() == (0, 0)


@pytest.mark.parametrize("stranger", [LEE, PARK], ids=["same tenant", "other tenant"])
def test_a_session_of_somebody_else_is_one_that_is_not_there(talk, session, stranger):
    message = complete(talk.ask(KIM, session.id, LEAVE))
    attempts = [
        lambda i: talk.session(stranger, i),
        lambda i: talk.messages(stranger, i),
        lambda i: talk.rename(stranger, i, "mine"),
        lambda i: talk.delete(stranger, i),
        lambda i: talk.forget_memory(stranger, i),
        lambda i: talk.export(stranger, i, "json"),
        lambda i: talk.ask(stranger, i, LEAVE),
        lambda i: talk.again(stranger, i, message.id),
    ]
    for attempt in attempts:
        told = []
        for session_id in (session.id, "0" * 32):
            with pytest.raises(NotFound) as refused:
                attempt(session_id)
            told.append(str(refused.value))
        assert told[0] == told[1]
    with pytest.raises(NotFound):
        talk.rate(stranger, message.id, "down")
    assert talk.sessions(stranger)[1] == 0 and len(kept(talk, session)) == 2


def test_answers_are_judged_masked_and_taken_back(talk, session):
    message = complete(talk.ask(KIM, session.id, LEAVE))
    rated = talk.rate(KIM, message.id, "down", "wrong, ask hong@example.com", "It is twenty.")
    assert (rated.rating, rated.reason, rated.correction) == ("down", "wrong, ask [EMAIL]", "It is twenty.")
    assert talk.rate(KIM, message.id, "").rating == ""
    with pytest.raises(Refused):
        talk.rate(KIM, message.id, "maybe")
    with pytest.raises(Refused):
        talk.rate(KIM, message.id, "up", "x" * 5000)


def test_exports_hold_everything_and_number_footnotes_through(talk, session):
    complete(talk.ask(KIM, session.id, LEAVE))
    complete(talk.ask(KIM, session.id, LEAVE))
    run = talk.ask(KIM, session.id, LEAVE)
    next(run)
    run.close()
    plain = json.loads(talk.export(KIM, session.id, "json"))
    assert [m["role"] for m in plain["items"]] == ["user", "assistant"] * 3
    assert plain["items"][1]["citations"][0]["quote"] == SENTENCES[0] and "account_id" not in plain
    text = talk.export(KIM, session.id, "markdown")
    assert f"{SENTENCES[0]} [^1] {SENTENCES[1]} [^1]" in text and "[^2] " in text and "*(stopped by the reader)*" in text
    assert text.count("[^1]:") == 1 and "[^2]: Leave rules, p. 2, Leave (docs/leave.pdf)" in text


def test_once_keeps_nothing_but_the_figures(talk, stores, answering):
    before = talk.sessions(KIM)[1]
    answer = complete(talk.once(KIM, LEAVE, (ChatTurn("user", "hello"),), "ko", "openai"))
    assert answer.found and answering.asked[-1][2:] == ("", (ChatTurn("user", "hello"),), "ko")
    event = events(stores)[-1]
    assert (event.session_id, event.message_id, event.channel, event.language) == ("", "", "openai", "ko")
    assert talk.sessions(KIM)[1] == before


def test_who_comes_while_all_are_busy_waits_in_line_and_beyond_it_is_told_to_come_back(stores, answering):
    talk = make_conversations(stores, answering, at_once=1, waiting=1, per_account=2)
    first, second, third = (talk.create(KIM) for _ in range(3))
    runs = [talk.ask(KIM, first.id, LEAVE), talk.ask(KIM, second.id, LEAVE)]
    assert talk.slots.counts() == (1, 1)
    with pytest.raises(Busy, match="2 of your questions"):
        talk.ask(KIM, third.id, LEAVE)
    with pytest.raises(Busy, match="Too many"):
        talk.ask(LEE, talk.create(LEE).id, LEAVE)
    assert talk.messages(KIM, third.id) == []
    done = []
    waiting = threading.Thread(target=lambda: done.append(complete(runs[1])))
    waiting.start()
    complete(runs[0])
    waiting.join(60)
    assert done[0].status == MessageStatus.DONE and talk.slots.counts() == (0, 0)


def test_who_waits_too_long_is_told_and_who_stops_waiting_leaves_the_line(stores, answering):
    talk = make_conversations(stores, answering, at_once=1, waiting=2, per_account=3, wait_s=0.01)
    sessions = [talk.create(KIM) for _ in range(3)]
    first, late, stopped = (talk.ask(KIM, session.id, LEAVE) for session in sessions)
    with pytest.raises(Busy, match="Nothing became free"):
        next(late)
    assert talk.messages(KIM, sessions[1].id)[1].status == MessageStatus.FAILED
    stopped.close()
    assert talk.slots.counts() == (1, 0)
    assert talk.messages(KIM, sessions[2].id)[1].status == MessageStatus.STOPPED
    complete(first)
