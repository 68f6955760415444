"""Nothing personal and no secret reaches the log stream; every event says which request it was of."""

import io
import json
import logging
import threading
import traceback

import pytest
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from llmflow.context import current_trace_id, note_account, request_context, trace_id_of
from llmflow.ingestion.masking import Masker, MaskingSettings
from llmflow.serving.operating.log_masking import LogMasker, without_secrets
from llmflow.serving.operating.logs import LogSettings, configure_logging
from llmflow.serving.web.access_log import install_access_log
from llmflow.serving.web.http_errors import install_error_handlers

RRN, PHONE, MAIL, KEY = "900101-1234567", "010-1234-5678", "hong@corp.local", "lf-abcdefgh12345678"
PLANTED = (RRN, PHONE, MAIL, KEY)
TEXT = f"주민번호 {RRN}, 전화 {PHONE}, {MAIL}, 키 {KEY}"
MASKER = Masker(MaskingSettings())


@pytest.fixture
def stream():
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    hooks, level = (threading.excepthook, __import__("sys").excepthook), root.level
    stream, last_resort = io.StringIO(), logging.lastResort
    configure_logging(LogSettings(format="json"), lambda text: MASKER.mask(text).text, stream)
    yield stream
    logging.setLoggerClass(logging.Logger)
    logging.lastResort = last_resort
    root.handlers[:] = before
    root.setLevel(level)
    threading.excepthook, __import__("sys").excepthook = hooks
    structlog.reset_defaults()


def events(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def assert_clean(stream: io.StringIO) -> None:
    assert stream.getvalue()
    for planted in PLANTED:
        assert planted not in stream.getvalue()


def test_messages_arguments_and_values_are_masked(stream: io.StringIO):
    log, structured = logging.getLogger("llmflow.test"), structlog.stdlib.get_logger("llmflow.test")
    log.warning(TEXT)
    log.warning("asked %s by %s", TEXT, {"who": [MAIL, {"phone": PHONE}]})
    structured.warning(
        "asked", question=TEXT, nested={"a": (RRN,), MAIL: KEY}, number=int(PHONE.replace("-", "")), error=ValueError(TEXT)
    )
    logging.getLogger("uvicorn.error").error("refused %s", TEXT)
    assert_clean(stream)
    assert [event["logger"] for event in events(stream)] == ["llmflow.test"] * 3 + ["uvicorn.error"]
    assert "[RRN]" in events(stream)[0]["event"] and "[SECRET]" in events(stream)[0]["event"]


def test_exceptions_are_masked_with_their_traceback(stream: io.StringIO):
    try:
        raise ValueError(TEXT)
    except ValueError:
        logging.getLogger("llmflow.test").exception("failed")
    assert_clean(stream)
    assert "Traceback" in events(stream)[0]["exception"] and "[PHONE]" in events(stream)[0]["exception"]


def test_a_thread_that_ends_by_an_error_is_logged_masked(stream: io.StringIO):
    def fail() -> None:
        raise ValueError(TEXT)

    thread = threading.Thread(target=fail, name="worker-1")
    thread.start()
    thread.join()
    assert_clean(stream)
    assert "worker-1" in events(stream)[0]["event"]


def test_a_record_that_cannot_be_written_does_not_print_its_arguments(stream: io.StringIO, capsys):
    (ours,) = [handler for handler in logging.getLogger().handlers if getattr(handler, "stream", None) is stream]
    ours.handle(logging.LogRecord("llmflow.test", logging.WARNING, "", 1, "%d pieces", (TEXT,), None))
    assert_clean(stream)
    assert "lost" in stream.getvalue()
    out = capsys.readouterr()
    assert not any(planted in out.out + out.err for planted in PLANTED)


def test_a_masker_that_logs_while_it_loads_neither_hangs_nor_leaks(stream: io.StringIO):
    def loading(text: str) -> str:
        logging.getLogger("library").warning("loading for %s", text)
        return MASKER.mask(text).text

    configure_logging(LogSettings(format="json"), loading, stream)
    logging.getLogger("llmflow.test").warning(TEXT)
    assert_clean(stream)
    assert len(events(stream)) == 2


def test_a_library_that_brings_its_own_handler_is_masked_too(stream: io.StringIO, capsys):
    library = logging.getLogger("a.library.imported.later")
    library.addHandler(logging.StreamHandler())
    library.propagate = False
    library.warning(TEXT)
    assert_clean(stream)
    out = capsys.readouterr()
    assert not any(planted in out.out + out.err for planted in PLANTED)


def test_a_masker_that_fails_leaves_the_text_out(stream: io.StringIO):
    def failing(_: str) -> str:
        raise RuntimeError(TEXT)

    configure_logging(LogSettings(format="json"), failing, stream)
    logging.getLogger("llmflow.test").warning(TEXT)
    assert_clean(stream)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abc.def-123456",
        "postgresql+psycopg://llmflow:hunter22@db:5432/x",
        "password=hunter22&x=1",
        '{"password": "hunter22", "a": 1}',
        "비밀번호: hunter22",
        "LLMFLOW_CHAT_KEY api_key='hunter22'",
        "cookie llmflow_session=hunter22; Path=/",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyMiJ9.hunter22",
        "$argon2id$v=19$m=65536,t=3,p=4$hunter22",
        "GET /callback?code=hunter22&state=hunter22",
        "sk-hunter22hunter22",
    ],
)
def test_secrets_are_known_by_form_or_name(text: str):
    masked = without_secrets(text)
    assert "hunter22" not in masked and "abc.def-123456" not in masked and "[SECRET]" in masked
    assert without_secrets(masked) == masked


@given(st.text(), st.sampled_from(PLANTED), st.text())
def test_a_planted_value_between_blanks_never_survives(before: str, planted: str, after: str):
    text = f"{before} {planted} {after}"
    # Where other letters make it part of something longer the whole text must at least be no longer the same.
    masked = LogMasker(lambda t: MASKER.mask(t).text).text(text)
    assert planted not in masked


def test_requests_are_logged_by_route_with_their_trace_id(stream: io.StringIO):
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/api/things/{name}")
    def thing(name: str) -> dict:
        note_account("a1", "acme")
        logging.getLogger("llmflow.test").info("inside %s", name)
        return {"trace_id": current_trace_id()}

    @app.get("/fails")
    def fails() -> None:
        raise ValueError(TEXT)

    install_access_log(app)
    client = TestClient(app, raise_server_exceptions=False)
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    answer = client.get(f"/api/things/{PHONE}?q={RRN}", headers={"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"})
    assert answer.headers["x-trace-id"] == trace_id == answer.json()["trace_id"]
    inside, request = events(stream)
    assert inside["trace_id"] == request["trace_id"] == trace_id
    assert (request["route"], request["status"], request["account_id"]) == ("/api/things/{name}", 200, "a1")
    assert request["ms"] >= 0 and inside["account_id"] == "a1"
    failure = client.get("/fails", headers={"Authorization": f"Bearer {KEY}"})
    missing = client.get(f"/nothing/{MAIL}")
    requests = [event for event in events(stream)[2:] if event["event"] == "request"]
    assert [(event["route"], event["status"]) for event in requests] == [("/fails", 500), ("no route", 404)]
    assert [event["trace_id"] for event in requests] == [failure.json()["trace_id"], missing.json()["trace_id"]]
    (unexpected,) = [event for event in events(stream) if "Unexpected" in event["event"]]
    assert unexpected["trace_id"] == failure.json()["trace_id"]
    assert_clean(stream)


def test_contexts_are_restored_and_bad_trace_headers_replaced():
    assert current_trace_id() == ""
    with request_context("not an id") as outer, request_context() as inner:
        assert current_trace_id() == inner.trace_id != outer.trace_id
        assert len(outer.trace_id) == 32
    assert current_trace_id() == ""
    for bad in ("", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "x" * 500, "00-abc-def-01"):
        assert len(trace_id_of(bad)) == 32 and trace_id_of(bad).strip("0")


def test_console_form_is_masked_too():
    stream = io.StringIO()
    root, before, hook = logging.getLogger(), logging.getLogger().handlers[:], threading.excepthook
    import sys

    main_hook, last_resort = sys.excepthook, logging.lastResort
    try:
        configure_logging(LogSettings(format="console"), lambda text: MASKER.mask(text).text, stream)
        try:
            raise ValueError(TEXT)
        except ValueError:
            logging.getLogger("llmflow.test").exception("failed %s", MAIL)
        assert_clean(stream)
        assert traceback.__name__ not in stream.getvalue() and "Traceback" in stream.getvalue()
    finally:
        logging.setLoggerClass(logging.Logger)
        logging.lastResort = last_resort
        root.handlers[:] = before
        threading.excepthook, sys.excepthook = hook, main_hook
        structlog.reset_defaults()
