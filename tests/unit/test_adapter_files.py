"""What may be in an adapter's folder, which adapter it is, and the copy that is served."""

import os

import pytest
from adapters_on_disk import write_adapter

from llmflow.errors import ModelUnavailable, SettingsError
from llmflow.finetuning.adapter_files import WEIGHTS, adapter_digest, base_fingerprint, check_adapter, place_adapter, read_facts


def test_the_digest_follows_weights_and_configuration_only(tmp_path):
    first = write_adapter(tmp_path / "a", seed=1)
    digest = adapter_digest(first)
    assert len(digest) == 64
    (first / "README.md").write_text("other")
    assert adapter_digest(first) == digest
    assert adapter_digest(write_adapter(tmp_path / "b", seed=1)) == digest
    assert adapter_digest(write_adapter(tmp_path / "c", seed=2)) != digest
    assert adapter_digest(write_adapter(tmp_path / "d", seed=1, r=4)) != digest


def test_a_copy_holds_what_is_loaded_and_nothing_else(tmp_path):
    source = write_adapter(tmp_path / "a")
    (source / "training_args.bin").write_bytes(b"pickle")
    digest = adapter_digest(source)
    place_adapter(source, tmp_path / "kept" / "chat-v1", digest)
    assert sorted(path.name for path in (tmp_path / "kept" / "chat-v1").iterdir()) == ["adapter_config.json", WEIGHTS]
    place_adapter(source, tmp_path / "kept" / "chat-v1", digest)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["chat-v1"]


def test_changed_files_are_not_loaded(tmp_path):
    source = write_adapter(tmp_path / "a")
    digest = adapter_digest(source)
    kept = tmp_path / "kept"
    place_adapter(source, kept, digest)
    check_adapter(kept, digest)
    data = bytearray((kept / WEIGHTS).read_bytes())
    data[-1] ^= 1
    os.chmod(kept / WEIGHTS, 0o644)
    (kept / WEIGHTS).write_bytes(data)
    with pytest.raises(ModelUnavailable, match="not what was registered"):
        check_adapter(kept, digest)


@pytest.mark.parametrize("name", ["adapter_model.bin", "optimizer.pt", "extra.py"])
def test_only_json_and_safetensors_are_loaded(tmp_path, name):
    source = write_adapter(tmp_path / "a")
    digest = adapter_digest(source)
    (source / "README.md").unlink()
    check_adapter(source, digest)
    (source / name).write_bytes(b"x")
    with pytest.raises(ModelUnavailable, match=name):
        check_adapter(source, digest)


def test_pickled_weights_are_refused_with_the_reason(tmp_path):
    source = write_adapter(tmp_path / "a")
    (source / WEIGHTS).rename(source / "adapter_model.bin")
    with pytest.raises(SettingsError, match="runs code when it is read"):
        adapter_digest(source)


def test_a_folder_that_is_gone_is_named(tmp_path):
    with pytest.raises(ModelUnavailable, match="gone"):
        check_adapter(tmp_path / "nothing", "0" * 64)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["embed_tokens"]}, "embed_tokens"),
        ({"target_modules": ["q_proj", "lm_head"]}, "lm_head"),
        ({"bias": "all"}, "biases"),
    ],
)
def test_what_vllm_cannot_serve_is_known_before(tmp_path, config, reason):
    facts = read_facts(write_adapter(tmp_path / "a", **config))
    assert len(facts.unservable) == 1 and reason in facts.unservable[0]


def test_facts_of_a_plain_adapter(tmp_path):
    facts = read_facts(write_adapter(tmp_path / "a", r=16))
    assert (facts.rank, facts.base_model, facts.unservable) == (16, "/models/base", ())
    with pytest.raises(SettingsError, match="PROMPT_TUNING"):
        read_facts(write_adapter(tmp_path / "b", peft_type="PROMPT_TUNING"))


def test_a_base_is_known_by_its_folder(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    first = base_fingerprint(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    assert first and base_fingerprint(tmp_path) not in ("", first)
    assert base_fingerprint("meta/llama") == ""
