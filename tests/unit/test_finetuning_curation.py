"""Masking, duplicates, decontamination, splits, replay, snapshots and the card: what is trained on and what is not."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.errors import DatasetError
from llmflow.finetuning.cleaning import CleaningSettings, clean, content_key
from llmflow.finetuning.curate import DataSettings, ReplaySettings, build_snapshot
from llmflow.finetuning.decontamination import HeldOut, read_evaluation_texts
from llmflow.finetuning.near_duplicates import _jaccard, _shingles, find_near_duplicates, normalised
from llmflow.finetuning.snapshot import SPLITS, open_snapshot, write_snapshot
from llmflow.finetuning.splits import SplitSettings, split_examples
from llmflow.finetuning.types import Example, Message, Task, ToolCall
from llmflow.ingestion.masking import Masker, MaskingSettings

MASKER = Masker(MaskingSettings())
NOTHING = HeldOut.of(())


def example(question: str, answer: str = "네", name: str = "a:1", **fields) -> Example:
    return Example(name, Task.SFT, (Message("user", question), Message("assistant", answer)), **fields)


def examples(*questions: str) -> list[Example]:
    return [example(question, name=f"a:{place}") for place, question in enumerate(questions)]


class TestCleaning:
    def test_personal_data_are_masked_everywhere_and_only_counted(self):
        call = ToolCall("call", '{"phone": "010-1234-5678", "times": 2}')
        tools = '[{"type": "function", "function": {"name": "f", "description": "mail hong@corp.example"}}]'
        messages = (
            Message("user", "010-1234-5678로 연락 주세요"), Message("assistant", "", (call,)),
            Message("tool", "hong@corp.example"),
            Message("assistant", "보냈습니다"),
        )  # fmt: skip
        cleaned = clean([Example("a:1", Task.SFT, messages, tools=tools)], CleaningSettings(), MASKER, NOTHING)
        (kept,) = cleaned.examples
        assert cleaned.masked == {"EMAIL": 2, "PHONE": 2}
        assert "1234" not in json.dumps(kept.to_row()) and "hong@" not in json.dumps(kept.to_row())
        assert json.loads(kept.messages[1].tool_calls[0].arguments) == {"phone": "[PHONE]", "times": 2}

    def test_a_number_that_is_personal_does_not_break_the_call(self):
        call = ToolCall("call", '{"card": 4111111111111111}')
        messages = (Message("user", "카드"), Message("assistant", "", (call,)), Message("tool", "ok"), Message("assistant", "네"))
        (kept,) = clean([Example("a:1", Task.SFT, messages)], CleaningSettings(), MASKER, NOTHING).examples
        assert json.loads(kept.messages[1].tool_calls[0].arguments) == {"card": "[CARD]"}

    def test_chosen_and_rejected_are_masked_too(self):
        pair = Example(
            "a:1", Task.DPO, (Message("user", "q"),), Message("assistant", "a@b.example"), Message("assistant", "c@d.example")
        )
        (kept,) = clean([pair], CleaningSettings(), MASKER, NOTHING).examples
        assert kept.chosen and kept.rejected and (kept.chosen.content, kept.rejected.content) == ("[EMAIL]", "[EMAIL]")

    def test_the_first_of_equal_examples_stays_and_the_other_names_it(self):
        cleaned = clean(
            examples("연차는 며칠?", "휴가는?", " 연차는  며칠? "), CleaningSettings(near_duplicates=0), MASKER, NOTHING
        )
        assert [kept.id for kept in cleaned.examples] == ["a:0", "a:1"]
        assert [(removal.id, removal.reason) for removal in cleaned.removed] == [("a:2", "the same as a:0")]

    def test_opposite_judgements_of_one_answer_are_not_duplicates(self):
        one = replace(example("q"), task=Task.KTO, desirable=True)
        assert content_key(one) != content_key(replace(one, desirable=False))

    def test_steps_say_what_is_left(self):
        long = "서버 점검은 매주 화요일 밤 열한 시에 시작하고 새벽 두 시쯤 끝나는 것으로 알고 있는데 이번 주에도 맞나요"
        questions = examples(
            f"{long}?",
            f"{long}!",
            "x" * 200,
        )
        cleaned = clean(questions, CleaningSettings(max_characters=100), MASKER, NOTHING)
        assert list(cleaned.steps.values()) == [3, 2, 2, 1, 1]
        assert "nearly the same as a:0" in {removal.reason for removal in cleaned.removed}
        assert len(cleaned.examples) + len(cleaned.removed) == 3

    @given(
        st.lists(st.sampled_from(["가나다라", "가나다라!", "abc def", "전화 010-1234-5678", "전화 010-9999-0000"]), max_size=6)
    )
    def test_cleaning_what_is_clean_changes_nothing(self, questions):
        once = clean(examples(*questions), CleaningSettings(), MASKER, NOTHING)
        again = clean(once.examples, CleaningSettings(), MASKER, NOTHING)
        assert again.examples == once.examples
        assert not again.removed and not again.masked


TEXTS = st.lists(st.text(alphabet="가나다라 ab", max_size=30), max_size=12)


class TestNearDuplicates:
    @given(TEXTS)
    def test_pairs_are_truly_alike_and_kept_texts_are_first(self, texts):
        found = find_near_duplicates(texts, 0.6)
        sets = [frozenset(_shingles(normalised(text)).tolist()) for text in texts]
        assert all(
            twin < index and twin not in found and _jaccard(sets[index], sets[twin]) >= 0.6 for index, twin in found.items()
        )

    @given(TEXTS)
    def test_equal_texts_are_always_found(self, texts):
        kept = [normalised(text) for index, text in enumerate(texts) if index not in find_near_duplicates(texts, 1.0)]
        assert len(kept) == len(set(kept)) == len({normalised(text) for text in texts})

    def test_a_long_text_with_a_word_changed_is_found(self):
        text = " ".join(f"문장 {number}은 서로 다릅니다" for number in range(40))
        assert find_near_duplicates([text, "아주 다른 글", text.replace("문장 7은", "문장 칠은")], 0.85) == {2: 0}


WORDS = tuple(f"낱말{number * 7919}" for number in range(60))


class TestDecontamination:
    @given(st.integers(0, 27), st.text(alphabet="xyz ", max_size=20))
    def test_thirteen_words_in_a_row_are_found_wherever_they_stand(self, start, around):
        held = HeldOut.of([" ".join(WORDS[:40])])
        window = WORDS[start : start + 13]
        assert held.overlap(f"{around} {' '.join(window).upper()}! {around}") == " ".join(window)
        assert held.overlap(" ".join(window[:12])) == ""

    def test_a_short_question_is_found_whole_inside_others(self):
        held = HeldOut.of(["연차는 며칠 전에 신청해야 하나요?"])
        assert held.overlap("궁금합니다. 연차는 며칠 전에 신청해야 하나요")
        assert not held.overlap("연차는 며칠 전에 신청하나요?")

    def test_a_question_of_few_words_counts_only_where_it_is_all(self):
        held = HeldOut.of(["How many days?"])
        assert held.overlap("how many DAYS") and not held.overlap("Tell me how many days it takes.")

    def test_questions_of_every_kind_of_evaluation_file(self, tmp_path):
        (tmp_path / "beir").mkdir()
        (tmp_path / "beir" / "queries.jsonl").write_text('{"_id": "1", "text": "beir question"}\n')
        (tmp_path / "korquad.json").write_text(
            '{"data": [{"paragraphs": [{"context": "c", "qas": [{"question": "korquad?"}]}]}]}'
        )
        (tmp_path / "ours.jsonl").write_text('{"id": "1", "text": "ours?"}\n')
        snapshot = write_snapshot(tmp_path / "s", Task.SFT, {"train": [example("x")], "test": [example("held out")]})
        paths = [tmp_path / "beir", tmp_path / "korquad.json", tmp_path / "ours.jsonl", snapshot.directory]
        assert read_evaluation_texts(paths) == ["beir question", "korquad?", "ours?", "held out"]
        (tmp_path / "none.jsonl").write_text("{}\n")
        with pytest.raises(DatasetError, match=r"none\.jsonl: no question"):
            read_evaluation_texts([tmp_path / "none.jsonl"])


class TestSplits:
    PEOPLE = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 28)), min_size=1, max_size=60)

    @given(PEOPLE, st.integers(0, 3))
    def test_no_user_stands_in_two_splits_and_nothing_tested_is_older_than_what_is_trained_on(self, people, seed):
        rows = [example("q", name=f"a:{n}", user=f"u{user}", time=f"2026-01-{day:02}") for n, (user, day) in enumerate(people)]
        found = split_examples(rows, SplitSettings(validation=0.2, test=0.2, seed=seed))
        users = [{row.user for row in found.splits[split]} for split in SPLITS]
        assert not (users[0] & users[1] or users[0] & users[2] or users[1] & users[2])
        held = [row.time for split in ("validation", "test") for row in found.splits[split]]
        assert all(row.time < min(held) for row in found.splits["train"]) if held else True
        names = [row.id for split in SPLITS for row in found.splits[split]] + list(found.unused)
        assert Counter(names) == Counter(row.id for row in rows)

    @given(st.sets(st.text(alphabet="가나다라마", min_size=1, max_size=6), min_size=60, max_size=80), st.integers(0, 20))
    def test_more_data_moves_nothing_where_no_split_was_empty(self, questions, added):
        rows = [example(question, name=f"a:{question}") for question in sorted(questions)]
        settings = SplitSettings(validation=0.3, test=0.3)
        where = {row.id: split for split in SPLITS for row in split_examples(rows[added:], settings).splits[split]}
        later = {row.id: split for split in SPLITS for row in split_examples(rows, settings).splits[split]}
        assert all(later[name] == split for name, split in where.items())

    def test_a_question_with_two_answers_stays_together(self):
        rows = [example("같은 질문", f"답 {n}", f"a:{n}") for n in range(5)] + examples(*"bcdefghij")
        splits = split_examples(rows, SplitSettings(validation=0.3, test=0.3)).splits
        assert sum(any(row.question == "같은 질문" for row in splits[split]) for split in SPLITS) == 1

    @pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
    def test_wherever_users_fall_no_split_is_empty_that_can_have_one(self, count):
        for seed in range(60):
            rows = [example("q", name=f"a:{n}", user=f"u{n}") for n in range(count)]
            splits = split_examples(rows, SplitSettings(validation=0.45, test=0.45, seed=seed)).splits
            assert splits["train"]
            assert count < 3 or (splits["validation"] and splits["test"])

    def test_small_sets_get_every_split_that_has_a_share(self):
        splits = split_examples(examples("a", "b", "c"), SplitSettings(validation=0.05, test=0.05)).splits
        assert [len(splits[split]) for split in SPLITS] == [1, 1, 1]
        assert not split_examples(examples("a", "b", "c"), SplitSettings(validation=0, test=0)).splits["test"]


class TestSnapshot:
    def test_the_same_data_have_the_same_folder_and_another_order_another(self, tmp_path):
        rows = examples("a", "b")
        first = write_snapshot(tmp_path, Task.SFT, {"train": rows})
        assert write_snapshot(tmp_path, Task.SFT, {"train": rows}) == first
        assert write_snapshot(tmp_path, Task.SFT, {"train": rows[::-1]}).hash != first.hash
        assert write_snapshot(tmp_path, Task.SFT, {"train": rows[:1], "test": rows[1:]}).hash != first.hash
        assert first.examples("train") == rows and first.examples("test") == []

    def test_a_changed_line_is_noticed(self, tmp_path):
        snapshot = write_snapshot(tmp_path, Task.SFT, {"train": examples("a", "b")})
        open_snapshot(snapshot.directory, verify=True)
        file = snapshot.directory / "train.jsonl"
        file.write_text(file.read_text().replace('"네"', '"아니요"', 1))
        with pytest.raises(DatasetError, match="not those that were hashed"):
            open_snapshot(snapshot.directory, verify=True)

    def test_a_half_written_folder_is_none(self, tmp_path):
        snapshot = write_snapshot(tmp_path, Task.SFT, {"train": examples("a")})
        (snapshot.directory / "snapshot.json").unlink()
        with pytest.raises(DatasetError, match="no data snapshot"):
            open_snapshot(snapshot.directory)
        assert (
            open_snapshot(write_snapshot(tmp_path, Task.SFT, {"train": examples("a")}).directory, verify=True).hash
            == snapshot.hash
        )

    def test_nothing_to_train_on_and_another_task_are_refused(self, tmp_path):
        with pytest.raises(DatasetError, match="No example is left"):
            write_snapshot(tmp_path, Task.SFT, {"test": examples("a")})
        with pytest.raises(DatasetError, match="an example for sft in a snapshot for dpo"):
            write_snapshot(tmp_path, Task.DPO, {"train": examples("a")})


class TestBuilding:
    def source(self, folder: Path, words: list[str]) -> DataSettings:
        (folder / "talk.csv").write_text(
            "question,answer\n" + "".join(f"{word}에 대해 알려 주세요,{word}입니다\n" for word in words)
        )
        return DataSettings(paths=(str(folder / "talk.csv"),), splits=SplitSettings(validation=0.1, test=0.1))

    def test_card_and_reasons_stand_beside_the_examples(self, tmp_path):
        settings = self.source(tmp_path, [*WORDS, WORDS[0], ""])
        with (tmp_path / "talk.csv").open("a") as file:
            file.write("하나만\n시험 문제는 여기 없어야 합니다 정말로,네\n")
        (tmp_path / "keep.jsonl").write_text(json.dumps({"text": "시험 문제는 여기 없어야 합니다 정말로"}) + "\n")
        snapshot = build_snapshot(settings, tmp_path / "out", MASKER, [tmp_path / "keep.jsonl"])
        reasons = [json.loads(line) for line in (snapshot.directory / "rejected.jsonl").read_text().splitlines()]
        assert {(row["row"], row["reason"].split(" ")[0]) for row in reasons} >= {(61, "the"), (63, "1"), (64, "shares")}
        card = json.loads((snapshot.directory / "card.json").read_text())
        assert card["counts"] == snapshot.counts and sum(snapshot.counts.values()) == card["flow"]["evaluation texts out"]
        assert card["flow"]["rows"] == 64 and card["kept_out"] == ["keep.jsonl"]
        assert (snapshot.directory / "flow.png").read_bytes().startswith(b"\x89PNG")
        assert "| talk | talk.csv | 63 | 1 |" in (snapshot.directory / "card.md").read_text()
        assert build_snapshot(settings, tmp_path / "out", MASKER, [tmp_path / "keep.jsonl"]) == snapshot

    def test_replay_has_its_share_and_nothing_that_is_held_out(self, tmp_path):
        (tmp_path / "new").mkdir()
        old = build_snapshot(self.source(tmp_path, list(WORDS)), tmp_path / "out", MASKER)
        settings = self.source(tmp_path / "new", [f"새말{number * 104729}" for number in range(30)] + list(WORDS[:20]))
        mixed = settings.model_copy(update={"replay": ReplaySettings(snapshot=str(old.directory), share=0.25)})
        snapshot = build_snapshot(mixed, tmp_path / "out", MASKER)
        train = snapshot.examples("train")
        replayed = [row for row in train if row.id.startswith("replay/")]
        assert len(replayed) == snapshot.meta["replayed"] == round((len(train) - len(replayed)) / 3)
        keys = [content_key(row) for split in SPLITS for row in snapshot.examples(split)]
        assert len(keys) == len(set(keys))

    def test_names_that_stand_twice_and_sets_for_another_task(self, tmp_path):
        settings = self.source(tmp_path, list(WORDS))
        with pytest.raises(DatasetError, match="talk is described twice"):
            build_snapshot(settings.model_copy(update={"paths": settings.paths * 2}), tmp_path, MASKER)
        with pytest.raises(DatasetError, match="None of talk is for dpo"):
            build_snapshot(settings.model_copy(update={"task": Task.DPO}), tmp_path, MASKER)
        with pytest.raises(DatasetError, match=r"no data set other. There are: talk"):
            build_snapshot(settings.model_copy(update={"datasets": ("other",)}), tmp_path, MASKER)
