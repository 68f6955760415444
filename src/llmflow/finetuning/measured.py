"""TRL's trainers with what they do not measure: tokens that are no padding, tokens that bear loss, time, memory, progress."""

from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from llmflow.finetuning.runs import write_history
from llmflow.finetuning.types import Task


def measured_trainer(
    task: Task,
    out_dir: Path,
    progress: Callable[[str, int, int], None] | None,
    listener: Callable[[int, Mapping[str, float]], None] | None,
    packed: bool,
) -> type[Any]:
    """Return a subclass of the task's TRL trainer that takes encoded rows as they are and logs what it measures.

    Every training log gains `tokens_per_second`, `loss_tokens_per_second` (over all processes, without evaluation and saving) and
    `peak_memory_gb`. The main process writes `history.jsonl` at every log.
    """
    import torch
    from transformers import TrainerCallback
    from trl.trainer.dpo_trainer import DPOTrainer
    from trl.trainer.kto_trainer import KTOTrainer
    from trl.trainer.sft_trainer import SFTTrainer

    parent: Any = {Task.SFT: SFTTrainer, Task.DPO: DPOTrainer, Task.KTO: KTOTrainer}[task]

    class Clock(TrainerCallback):
        """Seconds inside optimiser steps; tells progress and history."""

        def __init__(self) -> None:
            self.seconds = 0.0
            self.begun = 0.0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.is_world_process_zero:
                write_history(out_dir, state.log_history)
                if progress is not None:
                    progress("train", state.global_step, state.max_steps)

        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.begun = perf_counter()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.seconds += perf_counter() - self.begun
            if progress is not None and state.is_world_process_zero:
                progress("train", state.global_step, state.max_steps)

        def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **_: Any) -> None:
            if not state.is_world_process_zero:
                return
            write_history(out_dir, state.log_history)
            if listener is not None and logs:
                listener(state.global_step, {key: float(value) for key, value in logs.items() if isinstance(value, int | float)})

    class Measured(parent):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.clock = Clock()
            self.add_callback(self.clock)
            self._counts = torch.zeros(2, dtype=torch.long, device=self.accelerator.device)

        def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
            return super()._prepare_dataset(dataset, *args, **kwargs) if packed else dataset

        def training_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            self._counts += count_tokens(inputs).to(self._counts.device)
            return super().training_step(model, inputs, *args, **kwargs)

        def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
            if "loss" in logs and self.clock.seconds:
                tokens, bearing = self.accelerator.reduce(self._counts, "sum").tolist()
                logs["tokens_per_second"] = tokens / self.clock.seconds
                logs["loss_tokens_per_second"] = bearing / self.clock.seconds
                logs["peak_memory_gb"] = peak_memory_gb()
                self._counts.zero_()
                self.clock.seconds = 0.0
            super().log(logs, *args, **kwargs)

        def create_model_card(self, *args: Any, **kwargs: Any) -> None:
            """Write none: `trained.json` says what the folder holds."""

    return Measured


def count_tokens(inputs: Mapping[str, Any]) -> Any:
    """Return [tokens that are no padding, tokens that bear loss] of a batch, on its device; no synchronisation."""
    import torch

    attention = inputs.get("attention_mask")
    ids = inputs["input_ids"]
    tokens = attention.sum() if attention is not None else torch.tensor(ids.numel(), device=ids.device)
    bearing = inputs["labels"] != -100 if "labels" in inputs else inputs["completion_mask"]
    return torch.stack([tokens, bearing.sum()]).long()


def peak_memory_gb() -> float:
    """Return the most memory held so far in GiB: of the CUDA device, else of the process."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
