"""Tasks of the harness from a local folder, on base and adapter; the package itself is optional."""

import importlib.util
import json

import pytest

from llmflow.adapters.lm_eval_harness import harness_scores
from llmflow.errors import DatasetError, MissingDependency
from llmflow.evaluation.adapter_gate import HarnessSettings

HAVE = importlib.util.find_spec("lm_eval") is not None


def test_without_tasks_nothing_is_asked():
    assert harness_scores("nowhere", None, HarnessSettings()) == {}


@pytest.mark.skipif(HAVE, reason="lm-evaluation-harness is installed")
def test_the_missing_package_names_its_command():
    with pytest.raises(MissingDependency, match=r"pip install 'llmflow\[harness\]'"):
        harness_scores("nowhere", None, HarnessSettings(tasks=("mine",)))


@pytest.mark.skipif(not HAVE, reason="lm-evaluation-harness is not installed: pip install 'llmflow[harness]'")
def test_a_task_of_ones_own_runs_on_base_and_adapter(tmp_path, monkeypatch):
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from llmflow.finetuning.tiny_base import TinyBaseSettings, build_tiny_base

    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    base = build_tiny_base(["yes it is", "no it is not"] * 20, tmp_path / "base", TinyBaseSettings(steps=1))
    torch.manual_seed(1)
    tuned = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(r=4, init_lora_weights=False))
    tuned.save_pretrained(tmp_path / "adapter")
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    rows = [{"q": f"is {number} even?", "choices": ["yes", "no"], "gold": number % 2} for number in range(8)]
    (tasks / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tasks / "mine.yaml").write_text(
        f"task: mine\ndataset_path: json\ndataset_kwargs:\n  data_files: {{test: {tasks}/data.jsonl}}\ntest_split: test\n"
        'output_type: multiple_choice\ndoc_to_text: "{{q}}"\ndoc_to_choice: choices\ndoc_to_target: gold\n'
        "metric_list:\n  - {metric: acc, aggregation: mean, higher_is_better: true}\n"
    )
    settings = HarnessSettings(tasks=("mine",), include=str(tasks))
    for adapter in (None, str(tmp_path / "adapter")):
        scores = harness_scores(str(base), adapter, settings)
        assert set(scores) == {"mine"} and 0 <= scores["mine"] <= 1
    with pytest.raises(DatasetError, match="other"):
        harness_scores(str(base), None, settings.model_copy(update={"tasks": ("other",)}))
