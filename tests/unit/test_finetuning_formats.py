"""Instruction files of every format to examples; what is wrong is named with row and column and the rest goes on."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.errors import DatasetError
from llmflow.finetuning.dataset_info import describe_file, load_dataset_info
from llmflow.finetuning.formats import ReadResult, check_present, read_dataset, task_of
from llmflow.finetuning.types import Example, Message, Task, ToolCall

TOOLS = '[{"name": "find", "description": "finds", "parameters": {"type": "object"}}]'
CALL = {"from": "function_call", "value": '{"name": "find", "arguments": {"what": "열쇠", "n": 2}}'}


def written(folder: Path, name: str, rows, info: dict | None = None) -> Path:
    """Write rows as JSON (a list), JSON Lines (a .jsonl name) or text, and a dataset_info.json where one is given."""
    if isinstance(rows, str):
        (folder / name).write_text(rows, encoding="utf-8")
    elif name.endswith(".jsonl"):
        (folder / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    else:
        (folder / name).write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    if info is None:
        return folder / name
    (folder / "dataset_info.json").write_text(json.dumps({"set": {"file_name": name, **info}}), encoding="utf-8")
    return folder / "dataset_info.json"


def read(path: Path, task: Task | None = None) -> ReadResult:
    (entry,) = load_dataset_info(path)
    return read_dataset(entry, task)


def only(path: Path, task: Task | None = None) -> Example:
    result = read(path, task)
    assert not result.rejected, result.rejected
    (example,) = result.examples
    return example


def turns(example: Example) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in example.messages]


class TestFormats:
    def test_alpaca_joins_instruction_and_input_after_system_and_history(self, tmp_path):
        row = {"instruction": "Translate.", "input": "나무", "output": "tree", "system": "Be brief.", "past": [["hi", "hello"]]}
        path = written(
            tmp_path,
            "a.json",
            [row],
            {"columns": {"prompt": "instruction", "query": "input", "response": "output", "system": "system", "history": "past"}},
        )
        example = only(path)
        assert turns(example) == [
            ("system", "Be brief."), ("user", "hi"), ("assistant", "hello"), ("user", "Translate.\n나무"), ("assistant", "tree"),
        ]  # fmt: skip
        assert (example.id, example.task) == ("set:1", Task.SFT)

    def test_sharegpt_keeps_tool_calls_and_answers(self, tmp_path):
        conversation = [
            {"from": "human", "value": "어디 있지?"}, CALL,
            {"from": "observation", "value": "[]"}, {"from": "gpt", "value": "없어요."},
        ]  # fmt: skip
        example = only(written(tmp_path, "s.json", [{"conversations": conversation, "tools": TOOLS}]))
        assert [message.role for message in example.messages] == ["user", "assistant", "tool", "assistant"]
        assert example.messages[1].tool_calls == (ToolCall("find", '{"what": "열쇠", "n": 2}'),)
        assert json.loads(example.tools)[0] == {"type": "function", "function": json.loads(TOOLS)[0]}
        assert example.messages[1].for_template()["tool_calls"][0]["function"]["arguments"] == {"what": "열쇠", "n": 2}

    def test_openai_messages_with_tool_calls(self, tmp_path):
        call = {"id": "1", "type": "function", "function": {"name": "find", "arguments": '{"what": "key"}'}}
        messages = [
            {"role": "system", "content": "s"}, {"role": "user", "content": "u"},
            {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "content": "t"},
            {"role": "assistant", "content": "a"},
        ]  # fmt: skip
        example = only(written(tmp_path, "o.jsonl", [{"messages": messages}]))
        assert [message.role for message in example.messages] == ["system", "user", "assistant", "tool", "assistant"]
        assert example.messages[2].tool_calls[0].arguments == '{"what": "key"}'

    def test_preference_pairs_of_both_shapes(self, tmp_path):
        sharegpt = {
            "conversations": [{"from": "human", "value": "q"}],
            "chosen": {"from": "gpt", "value": "good"},
            "rejected": {"from": "gpt", "value": "bad"},
        }
        example = only(written(tmp_path, "p.json", [sharegpt]))
        assert (example.task, example.chosen, example.rejected) == (
            Task.DPO,
            Message("assistant", "good"),
            Message("assistant", "bad"),
        )
        plain = only(written(tmp_path, "q.json", [{"instruction": "q", "chosen": "good", "rejected": "bad"}]))
        assert (plain.prompt, plain.chosen, plain.rejected) == (example.prompt, example.chosen, example.rejected)
        assert plain.answer.content == "good" and plain.question == "q"

    def test_kto_labels(self, tmp_path):
        rows = [
            {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "label": label}
            for label in (True, False)
        ]
        result = read(written(tmp_path, "k.json", rows))
        assert [(example.task, example.desirable) for example in result.examples] == [(Task.KTO, True), (Task.KTO, False)]

    @pytest.mark.parametrize("heading", ["Q,A,label", "question,answer,x", "질문,답변,x", "Prompt,Response,x"])
    def test_csv_with_usual_headings_needs_no_description(self, tmp_path, heading):
        example = only(written(tmp_path, "c.csv", f'{heading}\n"여러 줄\n질문",대답,0\n'))
        assert turns(example) == [("user", "여러 줄\n질문"), ("assistant", "대답")]

    def test_csv_in_the_encoding_of_korean_offices(self, tmp_path):
        path = tmp_path / "c.csv"
        path.write_bytes("질문,답변\n몇 시죠,네 시요\n".encode("cp949"))
        assert turns(only(path)) == [("user", "몇 시죠"), ("assistant", "네 시요")]

    def test_users_times_and_placeholders_of_a_description(self, tmp_path):
        row = {"instruction": "who?", "output": "I am {{name}}.", "by": 7, "at": "2026-11-25T18:00:00+09:00"}
        columns = {"prompt": "instruction", "response": "output", "user": "by", "time": "at"}
        example = only(written(tmp_path, "u.json", [row], {"columns": columns, "fill": {"name": "하나"}}))
        assert (example.answer.content, example.user, example.time) == ("I am 하나.", "7", "2026-11-25T09:00:00+00:00")

    def test_only_the_first_rows_where_a_number_is_set(self, tmp_path):
        rows = [{"instruction": str(n), "output": "a"} for n in range(9)]
        assert len(read(written(tmp_path, "n.json", rows, {"num_samples": 4})).examples) == 4


CHAT = {"conversation": "c", "tenant": "t", "user": "kim", "time": "2026-01-02T03:04:05Z"}


class TestCollected:
    def row(self, *turns: tuple) -> dict:
        keys = ("role", "content", "feedback", "correction")
        return CHAT | {"messages": [dict(zip(keys, turn, strict=False)) for turn in turns]}

    def read(self, tmp_path: Path, task: Task, *turns: tuple) -> tuple[Example, ...]:
        result = read(written(tmp_path, "c.jsonl", [self.row(*turns)]), task)
        assert not result.rejected, result.rejected
        return result.examples

    TALK = (
        ("user", "q1"), ("assistant", "a1", "up"), ("user", "q2"), ("assistant", "a2", "down", "better"), ("user", "q3"),
        ("assistant", "a3"),
    )  # fmt: skip

    def test_sft_ends_with_the_last_judged_answer_and_takes_corrections(self, tmp_path):
        (example,) = self.read(tmp_path, Task.SFT, *self.TALK)
        assert [content for _, content in turns(example)] == ["q1", "a1", "q2", "better"]
        assert example.time == "2026-01-02T03:04:05+00:00"
        assert re.fullmatch(r"[0-9a-f]{12}", example.user) and "kim" not in example.user

    def test_kto_takes_every_judged_answer(self, tmp_path):
        found = self.read(tmp_path, Task.KTO, *self.TALK)
        assert [(example.answer.content, example.desirable) for example in found] == [("a1", True), ("a2", False)]
        assert len({example.id for example in found}) == 2

    def test_dpo_prefers_the_correction(self, tmp_path):
        (example,) = self.read(tmp_path, Task.DPO, *self.TALK)
        assert (example.question, example.answer.content, example.rejected) == ("q2", "better", Message("assistant", "a2"))

    @pytest.mark.parametrize("task", list(Task))
    def test_nothing_is_learned_from_what_nobody_judged(self, tmp_path, task):
        assert self.read(tmp_path, task, ("user", "q"), ("assistant", "a")) == ()

    def test_sft_leaves_out_what_was_disliked_on_the_way(self, tmp_path):
        assert (
            self.read(tmp_path, Task.SFT, ("user", "q"), ("assistant", "a", "down"), ("user", "r"), ("assistant", "b", "up"))
            == ()
        )


WRONG = [
    ([{"instruction": "q"}], "row 1, column 'output': is missing"),
    ([{"instruction": "q", "output": ""}], "row 1, column 'output': is empty"),
    ([{"instruction": "q", "output": ["a"]}], "row 1, column 'output': must be text, not list"),
    ([{"instruction": "q", "output": "a<|im_end|>"}], "row 1, column 'output': holds the control token '<|im_end|>'"),
    ([{"instruction": "q", "output": "broken \ufffd"}], "row 1, column 'output': holds characters that were lost"),
    ([{"instruction": "q", "output": "a"}, "text"], "row 2: an object of columns is expected, not str"),
]
TALKS = [
    ([], "'conversations': must be a list with at least one turn"),
    ([{"from": "gpt", "value": "a"}], "'conversations': begins with 'assistant'; the user speaks first"),
    ([{"from": "human", "value": "q"}], "'conversations': ends with 'user'; the last turn is what is learned"),
    ([{"from": "human", "value": "q"}, {"from": "human", "value": "r"}], r"'conversations\[1\]': 'user' speaks twice"),
    ([{"from": "human", "value": "q"}, {"from": "bot", "value": "a"}], r"'conversations\[1\].from': is 'bot'; allowed are human"),
    ([{"from": "human", "value": "q"}, {"from": "gpt"}], r"'conversations\[1\].value': must be text"),
    ([{"from": "human", "value": "q"}, {"from": "observation", "value": "x"}], r"'conversations\[1\]': a tool answers where no"),
    ([{"from": "human", "value": "q"}, CALL, {"from": "gpt", "value": "a"}], r"'conversations\[2\]': "),
    (
        [{"from": "human", "value": "q"}, {"from": "function_call", "value": "{"}],
        r"'conversations\[1\].value': must be JSON of a call",
    ),
]


class TestWrongRows:
    @pytest.mark.parametrize(("rows", "message"), WRONG)
    def test_names_row_and_column(self, tmp_path, rows, message):
        result = read(written(tmp_path, "a.json", rows, {}))
        assert message in str(result.rejected[0])
        assert result.rows == len(rows)

    @pytest.mark.parametrize(("talk", "message"), TALKS)
    def test_names_turn_and_role(self, tmp_path, talk, message):
        good = {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}
        result = read(written(tmp_path, "s.json", [good, {"conversations": talk}, good], {"formatting": "sharegpt"}))
        assert [example.id for example in result.examples] == ["set:1", "set:3"]
        assert re.search(f"row 2, column {message}", str(result.rejected[0]))

    def test_a_preference_for_the_same_answer_teaches_nothing(self, tmp_path):
        result = read(written(tmp_path, "p.json", [{"instruction": "q", "chosen": "a ", "rejected": "a"}]))
        assert "nothing to prefer" in result.rejected[0].reason

    def test_a_broken_line_does_not_stop_the_others(self, tmp_path):
        good = '{"instruction": "q", "output": "a"}'
        result = read(written(tmp_path, "l.jsonl", f"{good}\n{{broken\n\n{good}\n"))
        assert [example.id for example in result.examples] == ["l:1", "l:4"]
        assert "row 2: not valid JSON" in str(result.rejected[0])

    def test_a_csv_row_with_a_comma_too_many_is_not_shifted(self, tmp_path):
        result = read(written(tmp_path, "c.csv", "question,answer\nq,a,b\nq,a\n"))
        assert [example.id for example in result.examples] == ["c:2"]
        assert "3 fields under 2 columns" in str(result.rejected[0])

    def test_a_label_that_is_no_truth_value(self, tmp_path):
        messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
        info = {"formatting": "openai", "columns": {"messages": "messages", "kto_tag": "label"}}
        result = read(written(tmp_path, "k.json", [{"messages": messages, "label": "maybe"}], info))
        assert "column 'label': must be true or false, not 'maybe'" in str(result.rejected[0])

    def test_feedback_that_is_none_we_know(self, tmp_path):
        row = CHAT | {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "feedback": "great"}]}
        result = read(written(tmp_path, "c.jsonl", [row]))
        assert "column 'messages[1].feedback'" in str(result.rejected[0])


class TestDescriptions:
    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ({"hf_hub_url": "a/b"}, "entry 'x' is not a local file .hf_hub_url"),
            ({"columns": {}}, "entry 'x' is not a local file .no file_name"),
            ({"file_name": "x.json", "columns": {"images": "i"}}, "holds images"),
            ({"file_name": "x.json", "columns": {"promt": "i"}}, "columns.promt"),
            ({"file_name": "x.json", "formatting": "chatml"}, "entry 'x' is wrong: formatting"),
        ],
    )
    def test_a_wrong_entry_is_named(self, tmp_path, value, message):
        (tmp_path / "dataset_info.json").write_text(json.dumps({"x": value}))
        with pytest.raises(DatasetError, match=message):
            load_dataset_info(tmp_path)

    def test_unknown_names_and_missing_files_are_told(self, tmp_path):
        path = written(tmp_path, "a.json", [], {})
        with pytest.raises(DatasetError, match=r"no entry 'other'. It has: set"):
            load_dataset_info(path, ["other"])
        (tmp_path / "a.json").unlink()
        with pytest.raises(DatasetError, match=r"a\.json"):
            check_present(load_dataset_info(path))

    @pytest.mark.parametrize(
        ("name", "text"), [("a.csv", "x,y\n1,2\n"), ("a.json", "[1]"), ("a.parquet", "x"), ("a.json", "{"), ("a.csv", "")]
    )
    def test_a_file_that_does_not_tell_what_it_is(self, tmp_path, name, text):
        (tmp_path / name).write_text(text)
        with pytest.raises(DatasetError, match=re.escape(name)):
            describe_file(tmp_path / name)

    def test_a_set_for_another_task_is_not_read_as_this_one(self, tmp_path):
        (entry,) = load_dataset_info(written(tmp_path, "a.json", [], {}))
        assert task_of(entry) is Task.SFT
        with pytest.raises(DatasetError, match="describes examples for sft, and dpo is wanted"):
            read_dataset(entry, Task.DPO)


CONTENT = st.text(st.characters(codec="utf-8", exclude_characters="\x00\ufffd<"), min_size=1).map(str.strip).filter(bool)
PAIRS = st.lists(st.tuples(CONTENT, CONTENT), min_size=1, max_size=3)


@given(PAIRS, st.booleans(), st.sampled_from(list(Task)))
def test_an_example_survives_its_row(pairs, desirable, task):
    messages = tuple(
        message
        for asked, answered in pairs
        for message in (Message("user", asked), Message("assistant", answered, (ToolCall("f", "{}"),)))
    )
    example = {
        Task.SFT: Example("a:1", task, messages),
        Task.KTO: Example("a:1", task, messages, desirable=desirable),
        Task.DPO: Example("a:1", task, messages[:1], chosen=messages[1], rejected=Message("assistant", "no"), user="u"),
    }[task]
    assert Example.from_row(json.loads(json.dumps(example.to_row()))) == example


@given(pairs=PAIRS)
def test_what_is_written_is_read(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("rows")
    talk = [turn for asked, answered in pairs for turn in ({"from": "human", "value": asked}, {"from": "gpt", "value": answered})]
    example = only(written(folder, "s.json", [{"conversations": talk}], {"formatting": "sharegpt"}))
    assert [content for _, content in turns(example)] == [content for pair in pairs for content in pair]
