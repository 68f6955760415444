"""Parts of the dashboard without a page: what becomes of spreadsheets, settings, the command, failures and reports."""

import csv
import io
import json
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.admin.client import ApiError, Away, Client, SignedOut, Token, Transport
from apps.admin.main import command, configured
from apps.admin.metrics_text import read_metrics
from apps.admin.reports import figures, is_share
from apps.admin.session import plain
from apps.admin.settings import AdminSettings, load_settings
from apps.admin.tables import milliseconds, moment, rounded, share, size
from apps.csv_export import csv_bytes
from llmflow.errors import SettingsError

CELLS = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.integers(), st.booleans(), st.none())


@given(st.lists(st.fixed_dictionaries({"이름": CELLS, "=b": CELLS}), max_size=5))
def test_a_table_comes_back_from_its_csv_and_no_cell_is_a_formula(rows: list[dict[str, object]]):
    read = list(csv.reader(io.StringIO(csv_bytes(["이름", "=b"], rows).decode("utf-8-sig"), newline="")))
    assert read[0] == ["이름", "'=b"] and len(read) == len(rows) + 1
    for row, cells in zip(rows, read[1:], strict=True):
        for value, cell in zip((row["이름"], row["=b"]), cells, strict=True):
            told = "" if value is None else str(value)
            assert cell in (told, f"'{told}")
            assert isinstance(value, int) or not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_csv_opens_as_utf_8_in_a_spreadsheet_and_joins_lists():
    assert csv_bytes(["a"], [{"a": ["x", "y"]}]) == b'\xef\xbb\xbfa\r\n"x, y"\r\n'


@given(st.text(max_size=40))
def test_what_people_wrote_means_nothing_to_markdown(text: str):
    from markdown_it import MarkdownIt

    shown = MarkdownIt("commonmark", {"html": True}).renderInline(plain(text))
    assert not any(tag in shown for tag in ("<a", "<img", "<em", "<strong", "<code", "<b"))


def test_figures_are_told_in_the_unit_that_suits_them():
    assert (milliseconds(0), milliseconds(420), milliseconds(2300)) == ("–", "420 ms", "2.3 s")
    assert (share(1, 4), share(1, 0)) == ("25.0%", "–")
    assert (rounded(999_999), rounded(1_432_586), rounded(2_000_000_000)) == ("999,999", "1.43 M", "2 G")
    assert (size(512), size(2048), size(3 * 1024**3)) == ("512 B", "2.0 KB", "3.0 GB")
    assert (moment("2026-11-25T18:00:00+09:00"), moment("")) == ("2026-11-25 09:00", "")


def answering(status: int, body: object) -> Client:
    response = httpx.Response(status, content=body if isinstance(body, bytes) else json.dumps(body).encode())
    return Client(Transport("http://api", 5, httpx.MockTransport(lambda _: response)), Token("t"))


def test_failures_become_sentences_whatever_the_api_answers():
    with pytest.raises(ApiError) as refused:
        answering(409, {"error": "Taken.", "allowed": "Another name.", "next": "Choose one."}).me()
    assert refused.value.sentences == ("Taken.", "Another name.", "Choose one.") and refused.value.status == 409
    with pytest.raises(SignedOut):
        answering(401, {"error": "Nobody."}).me()
    with pytest.raises(ApiError, match="answered 502 to /api/auth/me"):
        answering(502, b"<html>bad gateway</html>").me()
    with pytest.raises(ApiError, match=r"a form that this dashboard does not know \(id: Field required\)"):
        answering(200, {"name": "kim"}).me()


def test_an_api_that_does_not_answer_in_time_is_away():
    def late(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late", request=request)

    with pytest.raises(Away, match="did not answer in time"):
        Client(Transport("http://api", 5, httpx.MockTransport(late))).me()


def test_one_persons_session_is_never_sent_for_another():
    seen: list[str] = []

    def api(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("cookie", ""))
        return httpx.Response(200, headers={"Set-Cookie": f"llmflow_session=ticket-{len(seen)}; Path=/"}, json={})

    transport = Transport("http://api", 5, httpx.MockTransport(api))
    first, second = (Client(transport).sign_in(name, "secret") for name in ("kim", "lee"))
    first.sign_out()
    second.sign_out()
    assert seen == ["", "", "llmflow_session=ticket-1", "llmflow_session=ticket-2"]
    assert "ticket" not in repr(Token("ticket-1")), "a token does not come into a log by being shown"


def test_settings_come_from_conf_and_options_stand_in_their_place(tmp_path: Path):
    for env, text in (("base", "port: 9000\nlanguage: en\n"), ("production", "api: https://chat.example/\n")):
        (tmp_path / env).mkdir()
        (tmp_path / env / "admin.yml").write_text(text, encoding="utf-8")
    found = load_settings("production", tmp_path)
    assert (found.port, found.language, found.api, found.browser_address) == (
        9000,
        "en",
        "https://chat.example",
        "https://chat.example",
    )
    (tmp_path / "base" / "admin.yml").write_text("prot: 1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="prot"):
        load_settings("base", tmp_path)
    assert configured("base", None, 8001, "http://10.0.0.1:1").model_dump(include={"port", "api"}) == {
        "port": 8001,
        "api": "http://10.0.0.1:1",
    }


def test_the_command_serves_this_machine_reports_to_nobody_and_shows_no_traceback():
    started = command(AdminSettings(port=8001))
    for option in (
        "--server.address=127.0.0.1",
        "--server.port=8001",
        "--browser.gatherUsageStats=false",
        "--server.enableXsrfProtection=true",
        "--server.headless=true",
        "--client.showErrorDetails=none",
    ):
        assert option in started
    assert AdminSettings.model_validate_json(started[-1]).port == 8001


def test_metrics_leave_out_the_buckets_of_histograms():
    text = '# TYPE a counter\na_total{x="1"} 2\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 0.5\nh_count 1\n'
    assert [(s.name, s.labels, s.value) for s in read_metrics(text)] == [
        ("a", "x=1", 2.0),
        ("h_sum", "", 0.5),
        ("h_count", "", 1.0),
    ]


@given(st.recursive(st.none() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(
    ["channels", "kinds", "answers", "overall", "by_kind", "R@5"]), inner), max_leaves=10))  # fmt: skip
def test_reports_of_any_form_are_read_without_a_failure(content: object):
    assert all(isinstance(is_share(figure), bool) for figure in figures(content))
