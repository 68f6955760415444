"""Training on a tiny model: what bears loss, which weights move, what is logged, what comes out."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import training

from llmflow.errors import DatasetError, ModelUnavailable, SettingsError
from llmflow.finetuning import choices
from llmflow.finetuning.encoding import IGNORED, encode_dpo, encode_kto, encode_sft, training_template
from llmflow.finetuning.export import export_adapter, export_merged
from llmflow.finetuning.gguf_export import export_gguf
from llmflow.finetuning.runs import read_history
from llmflow.finetuning.tiny_base import TinyBaseSettings, build_tiny_base, is_smoke_model
from llmflow.finetuning.trainer import build_trainer, train
from llmflow.finetuning.types import Message, Method, Task, TrainedAdapter

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("finetuning")]
LONGER = training.recipe(max_steps=12, batch=8, learning_rate=0.01)


@pytest.fixture(scope="module")
def base() -> Path:
    return training.tiny_base()


@pytest.fixture(scope="module")
def tokenizer(base):
    from llmflow.finetuning.base import load_tokenizer

    return load_tokenizer(str(base))


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory) -> dict:
    return {task: training.snapshot(tmp_path_factory.mktemp("data"), task) for task in Task}


@pytest.fixture(scope="module")
def lora(base, snapshots, tmp_path_factory) -> tuple[Path, TrainedAdapter, list]:
    """One SFT run that several tests look at: its folder, what it made, what the listener heard."""
    heard: list = []
    folder = tmp_path_factory.mktemp("run") / "lora"
    trained = train(LONGER, snapshots[Task.SFT], base, folder, listener=lambda step, values: heard.append((step, dict(values))))
    return folder, trained, heard


class TestTinyBase:
    def test_says_what_it_is_and_is_built_once(self, base):
        weights = base / "model.safetensors"
        before = weights.stat().st_mtime_ns
        texts = ["\n".join(example.texts()) for example in training.examples(Task.SFT)]
        assert build_tiny_base(texts, base, training.TINY) == base
        assert weights.stat().st_mtime_ns == before
        assert is_smoke_model(base) and "knows nothing" in (base / "SMOKE_MODEL.md").read_text()
        config = json.loads((base / "config.json").read_text())
        assert config["hidden_size"] // config["num_attention_heads"] == config["head_dim"] == 32  # what vLLM's CPU kernels take

    def test_the_same_texts_make_the_same_weights(self, tmp_path):
        settings = TinyBaseSettings(vocabulary=300, steps=2)
        one, other = (build_tiny_base(["가나다"], tmp_path / name, settings) for name in "ab")
        assert (one / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
        with pytest.raises(DatasetError, match="all of them are empty"):
            build_tiny_base(["", "  "], tmp_path / "c", settings)

    def test_older_servers_can_read_the_tokenizer(self, base):
        assert json.loads((base / "tokenizer_config.json").read_text())["tokenizer_class"] == "PreTrainedTokenizerFast"


class TestEncoding:
    def test_only_what_the_assistant_said_bears_loss_its_end_and_its_calls_too(self, tokenizer):
        plain, calling = training.examples(Task.SFT)[1], training.examples(Task.SFT)[0]
        for example, expected in ((plain, "출장 창구에 물어보세요.<|im_end|>"), (calling, '{"thing": "연차"}')):
            (row,) = encode_sft([example], tokenizer, None, 1024, everything=False).rows
            borne = tokenizer.decode([token for token in row["labels"] if token != IGNORED])
            assert expected in borne and "어떻게" not in borne and "desk" not in borne
            assert len(row["labels"]) == len(row["input_ids"])
        call = '<tool_call>{"name": "look_up", "arguments": {"thing": "연차"}}</tool_call>'
        assert borne == f"{call}<|im_end|>연차 창구에 물어보세요.<|im_end|>"

    def test_tools_are_written_into_the_prompt(self, tokenizer):
        (row,) = encode_sft(training.examples(Task.SFT)[:1], tokenizer, None, 1024, everything=True).rows
        text = tokenizer.decode(row["input_ids"])
        assert '"name": "look_up"' in text and '<tool_response>{"desk": 3}</tool_response>' in text
        assert row["labels"] == row["input_ids"]

    def test_what_does_not_fit_is_counted_not_hidden(self, tokenizer):
        rows = training.examples(Task.SFT)[1:3]
        whole = len(encode_sft(rows[:1], tokenizer, None, 1024, everything=False).rows[0]["input_ids"])
        cut = encode_sft(rows[:1], tokenizer, None, whole - 3, everything=False)
        assert (cut.cut, cut.dropped, len(cut.rows[0]["input_ids"])) == (1, (), whole - 3)
        none = encode_sft(rows, tokenizer, None, 16, everything=False)
        assert (none.rows, none.dropped) == ([], ("tiny:1", "tiny:2"))

    def test_preference_pairs_share_their_prompt(self, tokenizer):
        (row,) = encode_dpo(training.examples(Task.DPO)[1:2], tokenizer, None, 1024).rows
        assert tokenizer.decode(row["prompt_ids"]).endswith("<|im_start|>assistant\n")
        assert tokenizer.decode(row["chosen_ids"]).startswith("출장 창구에 물어보세요.<|im_end|>")
        assert tokenizer.decode(row["rejected_ids"]).startswith("몰라요.<|im_end|>")

    @pytest.mark.parametrize("count", [4, 5, 6])
    def test_kto_compares_with_the_completion_before_it(self, tokenizer, count):
        rows = encode_kto(training.examples(Task.KTO)[:count], tokenizer, None, 1024, batch=4).rows
        completions = [row["completion_ids"] for row in rows]
        assert [row["KL_completion_ids"] for row in rows[:4]] == [completions[3], *completions[:3]]
        assert all(row["KL_completion_ids"] != row["completion_ids"] for row in rows)

    def test_a_template_without_marks_and_none_at_all_are_told(self, tokenizer):
        import copy

        other = copy.deepcopy(tokenizer)
        other.chat_template = "{% for message in messages %}{{ message.content }}{% endfor %}"
        with pytest.raises(SettingsError, match="generation"):
            training_template(other)
        other.chat_template = None
        with pytest.raises(SettingsError, match="no chat template"):
            training_template(other)

    def test_known_templates_are_replaced_by_their_training_variant(self, tokenizer):
        import copy

        from trl.chat_template_utils import has_generation_markers, qwen3_chat_template

        other = copy.deepcopy(tokenizer)
        other.chat_template = qwen3_chat_template
        template = training_template(other)
        assert template is not None and has_generation_markers(template)
        (row,) = encode_sft(training.examples(Task.SFT)[:1], other, template, 2048, everything=False).rows
        borne = other.decode([token for token in row["labels"] if token != IGNORED])
        assert "look_up" in borne and "창구에 물어보세요" in borne and "어떻게" not in borne


class TestWeights:
    @pytest.mark.parametrize("method", ["lora", "dora"])
    def test_the_adapter_moves_and_the_base_does_not(self, base, snapshots, tmp_path, method):
        recipe = training.recipe(method=method, max_steps=3, serving={"unservable": "merge"})
        trainer, _, _ = build_trainer(recipe, snapshots[Task.SFT], str(base), tmp_path, choices.find_device())
        before = {name: weight.detach().clone() for name, weight in trainer.model.named_parameters()}
        trainer.train()
        moved = {name for name, weight in trainer.model.named_parameters() if not weight.equal(before[name])}
        assert moved and all("lora_" in name for name in moved)
        assert {name.split(".lora_")[0].rpartition(".")[2] for name in moved} == {
            "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
        }  # fmt: skip
        assert {name for name in before if "lora_B" in name} <= moved

    def test_full_fine_tuning_moves_the_weights(self, base, snapshots, tmp_path):
        trained = train(training.recipe(method="full", max_steps=2), snapshots[Task.SFT], base, tmp_path / "run")
        assert (trained.rank, trained.target_modules, trained.directory.name) == (0, (), "model")
        assert (trained.directory / "model.safetensors").read_bytes() != (base / "model.safetensors").read_bytes()
        assert is_smoke_model(trained.directory) and (trained.directory / "tokenizer.json").exists()
        with pytest.raises(SettingsError, match="makes whole weights"):
            export_adapter(trained, tmp_path / "out")

    @pytest.mark.parametrize("task", [Task.DPO, Task.KTO])
    def test_preferences_are_learned(self, base, snapshots, tmp_path, task):
        trained = train(training.recipe(task=task.value, max_steps=8), snapshots[task], base, tmp_path / "run")
        rows = read_history(tmp_path / "run")
        assert [row for row in rows if "rewards/chosen" in row]
        assert trained.metrics["eval_loss"] < {Task.DPO: 0.69, Task.KTO: 0.5}[task]  # log 2 and 1/2 where nothing was learned


class TestRun:
    def test_the_loss_falls(self, lora):
        losses = [row["loss"] for row in read_history(lora[0]) if "loss" in row]
        assert len(losses) == 12 and max(losses[-3:]) < min(losses[:3])

    def test_everything_that_matters_is_told(self, lora):
        _, _, heard = lora
        step, values = next((step, values) for step, values in heard if "loss" in values)
        wanted = {"loss", "learning_rate", "grad_norm", "tokens_per_second", "loss_tokens_per_second", "peak_memory_gb"}
        assert step == 1 and wanted <= set(values)
        assert 0 < values["loss_tokens_per_second"] < values["tokens_per_second"]
        assert any("eval_loss" in values for _, values in heard)

    def test_the_record_says_what_it_is(self, lora, snapshots, base):
        folder, trained, _ = lora
        assert TrainedAdapter.load(folder) == trained
        assert (trained.smoke, trained.servable, trained.snapshot) == (True, True, snapshots[Task.SFT].hash)
        assert trained.base_model == str(base) and trained.metrics["examples"] == 24
        assert sorted(path.name for path in trained.directory.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
        config = json.loads((trained.directory / "adapter_config.json").read_text())
        assert config["target_modules"] == list(trained.target_modules) and "." not in config["target_modules"][0]
        assert {"precision", "attention", "packing", "checkpointing"} == set(json.loads((folder / "choices.json").read_text()))

    def test_a_finished_run_is_not_trained_again(self, lora, snapshots, base):
        folder, trained, _ = lora
        assert train(LONGER, snapshots[Task.SFT], base, folder) == trained
        with pytest.raises(SettingsError, match="another recipe"):
            train(LONGER.model_copy(update={"max_steps": 13}), snapshots[Task.SFT], base, folder)

    def test_the_same_run_makes_the_same_adapter(self, lora, snapshots, base, tmp_path):
        assert train(LONGER, snapshots[Task.SFT], base, tmp_path / "again").digest == lora[1].digest

    def test_early_stopping_waits_as_long_as_it_is_told(self, base, snapshots, tmp_path):
        recipe = training.recipe(max_steps=30, patience=2, evaluate_every=2, learning_rate=1e-12)
        trained = train(recipe, snapshots[Task.SFT], base, tmp_path / "run")
        assert trained.metrics["steps"] == 6  # measured at 2, not better at 4 and 6

    def test_the_best_weights_are_kept_and_not_the_last(self, base, snapshots, tmp_path):
        recipe = training.recipe(max_steps=8, patience=9, evaluate_every=2, learning_rate=2.0, keep_checkpoints=4)
        trained = train(recipe, snapshots[Task.SFT], base, tmp_path / "run")
        measured = [row["eval_loss"] for row in read_history(tmp_path / "run") if "eval_loss" in row][:4]
        assert min(measured) < measured[-1]
        assert trained.metrics["eval_loss"] == pytest.approx(min(measured), rel=1e-4)

    def test_wrong_wishes_are_refused_before_anything_is_loaded(self, base, snapshots, tmp_path):
        def refused(match, error=SettingsError, data=snapshots[Task.SFT], model=base, **changes):
            with pytest.raises(error, match=match):
                train(training.recipe(**changes), data, model, tmp_path / match[:9])

        refused("could not be served", method="dora")
        refused("QLoRA quantises", method="qlora")
        refused("for dpo, the data for sft", task="dpo")
        refused("all 24 were left out", max_length=16)
        refused("cannot be loaded", ModelUnavailable, model=tmp_path / "none")
        assert not list(tmp_path.rglob("checkpoint*"))


class TestPacking:
    def test_the_probe_tells_attention_that_mixes_from_attention_that_does_not(self, base):
        import torch
        from transformers import AutoModelForCausalLM

        for attention in ("sdpa", "eager"):
            assert choices.packs_apart(AutoModelForCausalLM.from_pretrained(base, attn_implementation=attention))

        class Mixing(torch.nn.Module):
            """Averages all that stands before and knows no positions."""

            def __init__(self) -> None:
                super().__init__()
                self.embed = torch.nn.Embedding(50, 8)
                self.device = torch.device("cpu")
                self.config = SimpleNamespace(get_text_config=lambda: SimpleNamespace(vocab_size=50))

            def forward(self, input_ids, **_):
                return SimpleNamespace(logits=self.embed(input_ids).cumsum(1))

        mixing = Mixing()
        assert not choices.packs_apart(mixing)
        assert choices.choose_packing(training.recipe(packing="auto"), mixing).value is False
        with pytest.raises(SettingsError, match="see each other"):
            choices.choose_packing(training.recipe(packing="on"), mixing)

    def test_packed_and_unpacked_have_the_same_loss(self, base, snapshots, tmp_path):
        losses = {}
        for packing in ("on", "off"):
            recipe = training.recipe(packing=packing, max_steps=1, max_length=1024, batch=24, accumulate=1)
            trainer, _, chosen = build_trainer(recipe, snapshots[Task.SFT], str(base), tmp_path / packing, choices.find_device())
            assert chosen["packing"].value is (packing == "on")
            rows = trainer.get_eval_dataloader()
            borne = [
                (float(trainer.compute_loss(trainer.model.eval(), batch).detach()), int((batch["labels"][:, 1:] != -100).sum()))
                for batch in rows
            ]
            losses[packing] = sum(loss * count for loss, count in borne) / sum(count for _, count in borne)
        assert losses["on"] == pytest.approx(losses["off"], rel=1e-4)


class TestExport:
    def test_merged_weights_answer_as_base_and_adapter_do(self, lora, tmp_path):
        merged = export_merged(lora[1], tmp_path / "merged")
        assert merged.difference < 1e-4
        assert is_smoke_model(merged.directory) and (merged.directory / "SMOKE_MODEL.md").exists()
        from transformers import AutoModelForCausalLM

        assert not [
            name for name, _ in AutoModelForCausalLM.from_pretrained(merged.directory).named_parameters() if "lora" in name
        ]

    def test_what_cannot_be_served_can_be_merged(self, base, snapshots, tmp_path):
        recipe = training.recipe(method="dora", max_steps=4, serving={"unservable": "merge"})
        trained = train(recipe, snapshots[Task.SFT], base, tmp_path / "run")
        assert trained.servable is False
        with pytest.raises(SettingsError, match="cannot be loaded by vLLM"):
            export_adapter(trained, tmp_path / "adapter")
        assert export_merged(trained, tmp_path / "merged").difference < 1e-3

    def test_the_wrong_base_and_changed_weights_are_noticed(self, lora, base, tmp_path):
        _, trained, _ = lora
        other = build_tiny_base(["다른 글"], tmp_path / "other", TinyBaseSettings(vocabulary=300, steps=0))
        with pytest.raises(SettingsError, match="not the base that was trained on"):
            export_merged(trained, tmp_path / "merged", base=str(other))
        shutil.copytree(base, tmp_path / "moved")
        assert export_merged(trained, tmp_path / "merged", base=str(tmp_path / "moved")).difference < 1e-4
        assert export_adapter(trained, tmp_path / "adapter") == tmp_path / "adapter"
        changed = TrainedAdapter(
            **{**{key: getattr(trained, key) for key in trained.__slots__}, "directory": tmp_path / "adapter"}
        )
        (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
        with pytest.raises(DatasetError, match="has digest"):
            export_adapter(changed, tmp_path / "out")

    def test_gguf_holds_the_same_weights_and_tokens(self, base, tmp_path):
        import gguf
        import numpy as np
        from safetensors.numpy import load_file

        file = export_gguf(base, tmp_path / "model.gguf", "f32")
        reader = gguf.GGUFReader(file)
        found = {tensor.name: tensor.data for tensor in reader.tensors}
        weights = load_file(base / "model.safetensors")
        assert len(found) == len(weights)
        assert np.array_equal(found["token_embd.weight"], weights["model.embed_tokens.weight"])
        assert np.array_equal(found["blk.1.ffn_down.weight"], weights["model.layers.1.mlp.down_proj.weight"])
        # llama.cpp turns neighbouring rows of a head, transformers row i and row i + half
        query, turned = weights["model.layers.0.self_attn.q_proj.weight"], found["blk.0.attn_q.weight"]
        assert np.array_equal(turned[0:32:2], query[0:16]) and np.array_equal(turned[1:32:2], query[16:32])
        fields = {name: field.contents() for name, field in reader.fields.items()}
        assert (fields["general.architecture"], fields["llama.attention.head_count"], fields["tokenizer.ggml.pre"]) == (
            "llama",
            2,
            "gpt-2",
        )
        assert fields["tokenizer.ggml.tokens"][:3] == ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
        assert fields["tokenizer.ggml.eos_token_id"] == 2 and fields["tokenizer.ggml.token_type"][:4] == [3, 3, 3, 1]
        assert "generation" not in fields["tokenizer.chat_template"].replace("add_generation_prompt", "")

    @pytest.mark.parametrize(
        ("file", "change", "message"),
        [
            ("config.json", {"architectures": ["MambaForCausalLM"]}, "MambaForCausalLM"),
            ("config.json", {"rope_parameters": {"rope_type": "llama3"}}, "'llama3' scaling"),
            ("tokenizer.json", {"pre_tokenizer": {"type": "Metaspace"}}, "this tokenizer"),
        ],
    )
    def test_gguf_of_what_is_not_known_names_llama_cpp(self, base, tmp_path, file, change, message):
        shutil.copytree(base, tmp_path / "odd")
        path = tmp_path / "odd" / file
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
        with pytest.raises(SettingsError, match=f"(?s){message}.*convert_hf_to_gguf.py"):
            export_gguf(tmp_path / "odd", tmp_path / "model.gguf")


def test_messages_reach_the_template_as_it_expects_them():
    assert Message("user", "q").for_template() == {"role": "user", "content": "q"}
    assert Method("qlora") is Method.QLORA
