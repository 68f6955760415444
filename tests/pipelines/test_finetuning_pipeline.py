"""`kedro run --pipelines finetuning` and `llmflow finetune` over one workspace: data to an adapter to figures in MLflow."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from running import LIMIT_SECONDS, ROOT, environment, free_port, run_kedro, run_llmflow

from llmflow.finetuning.types import TrainedAdapter

SLOW = [pytest.mark.slow, pytest.mark.xdist_group("finetuning")]


@dataclass(frozen=True)
class Run:
    home: Path
    stdout: str

    @property
    def report(self) -> dict:
        return json.loads((self.home / "reports" / "finetuning.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    home = tmp_path_factory.mktemp("finetuning") / "home"
    done = run_kedro(home, "--env", "test", "--pipelines", "finetuning")
    assert done.returncode == 0, done.stderr[-4000:]
    return Run(home, done.stdout)


class TestPipeline:
    pytestmark = SLOW

    def test_an_adapter_is_trained_and_labelled(self, run):
        trained = TrainedAdapter.load(Path(run.report["run"]))
        assert trained.smoke and run.stdout.startswith("SMOKE MODEL")
        assert trained.metrics["steps"] == 8 and trained.directory.is_dir()
        assert trained.directory.is_relative_to(run.home)
        assert run.report["counts"]["train"] > 150 and run.report["steps"]["read"] == 264

    def test_mlflow_holds_parameters_measures_data_and_commit(self, run):
        import mlflow

        client = mlflow.MlflowClient(f"sqlite:///{run.home}/mlflow.db")
        experiment = client.get_experiment_by_name("finetuning")
        assert experiment is not None
        (logged,) = client.search_runs([experiment.experiment_id])
        assert logged.info.status == "FINISHED" and logged.info.run_name.startswith("smoke sft-lora-")
        assert logged.data.params["recipe.lora.rank"] == "16" and logged.data.params["learning_rate_used"] == "0.003"
        wanted = {
            "loss",
            "learning_rate",
            "grad_norm",
            "tokens_per_second",
            "loss_tokens_per_second",
            "peak_memory_gb",
            "eval_loss",
        }
        assert wanted <= set(logged.data.metrics)
        assert logged.data.metrics["data.read"] == 264 and logged.data.metrics["data.train"] == run.report["counts"]["train"]
        assert logged.data.tags["snapshot"] == run.report["snapshot"] and logged.data.tags["smoke_model"] == "true"
        assert logged.data.tags["git_commit"] == run.report["git_commit"]
        assert [point.step for point in client.get_metric_history(logged.info.run_id, "loss")] == [2, 4, 6, 8]
        names = {item.path for folder in ("", "data") for item in client.list_artifacts(logged.info.run_id, folder)}
        assert {"history.png", "trained.json", "choices.json", "data/card.md", "data/flow.png"} <= names

    def test_a_second_run_finds_everything_done(self, run):
        again = run_llmflow(run.home, "finetune", "train", "--env", "test", "--json")
        assert again.returncode == 0, again.stderr[-3000:]
        assert json.loads(again.stdout)["digest"] == run.report["digest"]
        listed = json.loads(run_llmflow(run.home, "finetune", "runs", "--env", "test", "--json").stdout)
        assert [row["digest"] for row in listed] == [run.report["digest"]]

    def test_export_by_name(self, run):
        name = Path(run.report["run"]).name
        done = run_llmflow(run.home, "finetune", "export", name, "--as", "adapter", "--as", "gguf", "--env", "test", "--json")
        assert done.returncode == 0, done.stderr[-3000:]
        made = {form: Path(path) for form, path in json.loads(done.stdout).items()}
        assert set(made) == {"adapter", "merged", "gguf"} and made["gguf"].read_bytes().startswith(b"GGUF")
        refused = run_llmflow(run.home, "finetune", "export", name, "--as", "onnx", "--env", "test")
        assert refused.returncode == 2 and "adapter, merged, gguf" in refused.stderr


class TestSeveralProcesses:
    """Data parallel over gloo on one CPU: the same code path as on several GPUs, without DeepSpeed."""

    pytestmark = SLOW

    def test_two_processes_make_one_run_and_one_adapter(self, tmp_path):
        home = tmp_path / "home"
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", str(free_port())]
        command += ["-m", "llmflow.cli", "finetune", "train", "--env", "test", "--max-steps", "4", "--json"]
        done = subprocess.run(
            command, cwd=ROOT, env=environment(home), capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
        report = json.loads(done.stdout)  # one process speaks
        trained = TrainedAdapter.load(Path(report["run"]))
        assert trained.metrics["steps"] == 4 and trained.digest == report["digest"]
        import mlflow

        client = mlflow.MlflowClient(f"sqlite:///{home}/mlflow.db")
        experiment = client.get_experiment_by_name("finetuning")
        assert experiment is not None
        (logged,) = client.search_runs([experiment.experiment_id])
        state = json.loads((Path(report["run"]) / "checkpoints" / "checkpoint-4" / "trainer_state.json").read_text())
        share = 4 * state["train_batch_size"] * 2 / report["counts"]["train"]
        assert state["epoch"] == pytest.approx(share, rel=0.05), "two processes did not share the data"
        assert logged.data.metrics["final.steps"] == 4


class TestData:
    def test_the_sample_is_sound_and_is_what_its_script_makes(self, tmp_path):
        import runpy

        folder = ROOT / "data" / "sample" / "instructions"
        before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        runpy.run_path(str(folder / "build.py"), run_name="__main__")
        assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before

    def test_check_names_wrong_rows_and_fails(self, tmp_path):
        path = tmp_path / "talk.csv"
        path.write_text("question,answer\nq,a\nq,\n", encoding="utf-8")
        done = run_llmflow(tmp_path / "home", "finetune", "data", "check", str(path))
        assert done.returncode == 1
        assert "talk: 1 examples for sft, 1 rows rejected\n  row 2, column 'answer': is empty" in done.stdout
        good = run_llmflow(tmp_path / "home", "finetune", "data", "check", str(ROOT / "data/sample/instructions"), "--json")
        assert good.returncode == 0
        assert [(row["name"], row["task"], row["examples"]) for row in json.loads(good.stdout)] == [
            ("helpdesk", "sft", 264), ("preferences", "dpo", 48), ("conversations", "collected", 20),
        ]  # fmt: skip
        missing = run_llmflow(tmp_path / "home", "finetune", "data", "check", os.path.join("no", "such.csv"))
        assert missing.returncode == 2 and "such.csv" in missing.stderr
