"""Training speed beside plain TRL: python -m benchmarks.finetune [--size tiny|1b|8b] [--examples N] [--length N] [--rounds N]

Three ways to fine-tune LoRA r=16 on all linear layers over the same conversations, each in a process of its own, taking turns:
`plain` (SFTTrainer as it comes), `ours` (unpacked) and `packed`. Printed are tokens that are no padding a second (the first steps
left out), the share of the device's arithmetic that this needs, peak memory, and the loss of held-out answers afterwards,
computed alike for all.

Weights of 1b and 8b are random in the shape of Llama 3.2 1B and Llama 3.1 8B: speed does not depend on what a model knows. On a
machine without a GPU only tiny is measured, and the output says so.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.run import _keep, _table
from llmflow.finetuning.recipe import Recipe
from llmflow.finetuning.snapshot import Snapshot, open_snapshot, write_snapshot
from llmflow.finetuning.tiny_base import TinyBaseSettings, build_tiny_base
from llmflow.finetuning.types import Example, Message, Task

WAYS = ("plain", "ours", "packed")
WARM_STEPS = 2
ROWS_A_STEP = 8  # TRL's default batch
SHAPES: dict[str, dict[str, Any]] = {
    "1b": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32,
           "num_key_value_heads": 8, "head_dim": 64, "vocab_size": 128256, "tie_word_embeddings": True},
    "8b": {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
           "num_key_value_heads": 8, "vocab_size": 128256},
}  # fmt: skip
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40S": 362e12, "4090": 165e12}
"""Dense bf16 operations a second, as NVIDIA's data sheets have them."""
SIZES = {"tiny": (120, 256), "1b": (2000, 4096), "8b": (640, 4096)}
"""Examples and tokens of a row where the command line says nothing."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=list(SIZES), default="")
    parser.add_argument("--examples", type=int, default=0)
    parser.add_argument("--length", type=int, default=0, help="tokens of a row")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--one", nargs=3, metavar=("WAY", "FOLDER", "LENGTH"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.one[0], Path(args.one[1]), int(args.one[2]))))
        return
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    size = args.size or ("8b" if gpu else "tiny")
    if not gpu:
        print("No GPU was had: the tiny model on a CPU. The ways can be compared; no figure says anything about a GPU.")
        if size != "tiny":
            raise SystemExit(f"--size {size} needs a GPU.")
    examples, length = args.examples or SIZES[size][0], args.length or SIZES[size][1]
    with tempfile.TemporaryDirectory(prefix="llmflow-finetune-") as temporary:
        prepare(Path(temporary), size, examples, length)
        found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
        for turn in range(args.rounds):
            for way in WAYS if turn % 2 == 0 else WAYS[::-1]:
                found[way].append(_in_a_process(way, Path(temporary), length))
    _keep("finetune", {"cores": os.cpu_count(), "load": os.getloadavg(), "gpu": gpu}, {"size": size, "ways": found})
    show(size, length, gpu or "CPU", found)


def show(size: str, length: int, device: str, found: dict[str, list[dict[str, Any]]]) -> None:
    """Print a row a way, medians over the rounds, and how much faster than plain each is."""
    rows = []
    plain = statistics.median(run["tokens_per_second"] for run in found["plain"])
    for way, runs in found.items():
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0] if isinstance(runs[0][key], int | float)}
        rows.append([
            way, runs[0]["how"], f"{middle['tokens_per_second']:.0f}", f"{middle['tokens_per_second'] / plain:.2f}x",
            f"{100 * middle['mfu']:.1f}", f"{middle['peak_gb']:.2f}", f"{middle['steps']:.0f}", f"{middle['loss']:.4f}",
        ])  # fmt: skip
    print(f"{size}, {length} tokens a row, {device}, LoRA r=16 on all linear layers; peak from {found['plain'][0]['peak_from']}")
    _table(["way", "how", "tokens/s", "to plain", "MFU %", "peak GB", "steps", "loss after"], rows)


def prepare(folder: Path, size: str, count: int, length: int) -> None:
    """Write conversations of very different lengths and a base model into the folder."""
    rng = random.Random(7)
    words = [f"{rng.choice('bdfgklmnprst')}{rng.choice('aeiou')}{rng.choice('klmnrst')}{rng.choice('aeiou')}" for _ in range(400)]
    rows = []
    for place in range(count + count // 8):
        wanted = min(length * 0.9, max(8, rng.lognormvariate(0, 0.9) * length / 6))  # about one in eight fills a third of a row
        topic = rng.choice(words)
        answer = " ".join(rng.choice(words) if rng.random() < 0.5 else topic for _ in range(int(wanted / 1.6)))
        rows.append(Example(f"b:{place}", Task.SFT, (Message("user", f"tell me about {topic}"), Message("assistant", answer))))
    write_snapshot(folder, Task.SFT, {"train": rows[:count], "validation": rows[count:]})
    texts = ["\n".join(row.texts()) for row in rows]
    tiny = TinyBaseSettings(vocabulary=1024, steps=20 if size == "tiny" else 0, context=length)
    base = build_tiny_base(texts, folder / "base", tiny)
    if size != "tiny":
        _random_model(base, size, length)


def _random_model(base: Path, size: str, length: int) -> None:
    """Put random bf16 weights of the wanted shape beside the small tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(**SHAPES[size], max_position_embeddings=length, bos_token_id=0, eos_token_id=2, pad_token_id=0)
    torch.manual_seed(0)
    with torch.device("cuda"):
        model = LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(base)


def _in_a_process(way: str, folder: Path, length: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.finetune", "--one", way, str(folder), str(length)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure(way: str, folder: Path, length: int) -> dict[str, Any]:
    """Train one epoch in one way and return its figures."""
    import torch
    from transformers import TrainerCallback

    from llmflow.finetuning.base import quiet_libraries

    snapshot = open_snapshot(next(folder.glob("sft-*")))
    marks: list[tuple[float, int]] = []

    class Marks(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            marks.append((perf_counter(), trainer._total_train_tokens))

    with quiet_libraries():
        trainer = _plain(snapshot, folder, length) if way == "plain" else _ours(snapshot, folder, length, way == "packed")
        trainer.add_callback(Marks())
        trainer.train()
        loss = held_out_loss(trainer, snapshot, folder, length)
    first, last = marks[min(WARM_STEPS, len(marks) - 2)], marks[-1]
    rate = (last[1] - first[1]) / (last[0] - first[0])
    peak, peak_from = _peak()
    args = trainer.args
    memory = torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else _resident_gb()
    rows = f"{args.per_device_train_batch_size}x{args.gradient_accumulation_steps}"
    how = f"{rows} {'bf16' if args.bf16 else 'fp32'}, {'recomputing' if args.gradient_checkpointing else 'keeping activations'}"
    return {
        "tokens_per_second": rate, "mfu": rate * operations_a_token(trainer.model, length) / peak, "peak_gb": memory,
        "steps": len(marks), "loss": loss, "peak_from": peak_from,
        "how": how,
    }  # fmt: skip


def _plain(snapshot: Snapshot, folder: Path, length: int) -> Any:
    """SFTTrainer with its defaults: only what has to be said is said."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    rows = [{"messages": [message.for_template() for message in row.messages]} for row in snapshot.examples("train")]
    config = SFTConfig(
        output_dir=str(folder / "plain"), max_length=length, num_train_epochs=1, learning_rate=2e-4, save_strategy="no",
        report_to="none", disable_tqdm=True, use_cpu=not torch.cuda.is_available(),
    )  # fmt: skip
    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    return SFTTrainer(str(folder / "base"), config, train_dataset=Dataset.from_list(rows), peft_config=lora)


def _ours(snapshot: Snapshot, folder: Path, length: int, packed: bool) -> Any:
    """Our trainer; a packed step sees about as many tokens as one of eight unpacked examples."""
    from llmflow.finetuning import choices
    from llmflow.finetuning.base import load_tokenizer
    from llmflow.finetuning.encoding import encode_sft
    from llmflow.finetuning.trainer import build_trainer

    device = choices.find_device()
    tokenizer = load_tokenizer(str(folder / "base"))
    encoded = encode_sft(snapshot.examples("train"), tokenizer, None, length, everything=False).rows
    mean = statistics.mean(len(row["input_ids"]) for row in encoded)
    rows = max(1, round(ROWS_A_STEP * mean / length)) if packed else ROWS_A_STEP
    recipe = Recipe(
        max_length=length, batch=rows, accumulate=1, learning_rate=2e-4, schedule="linear", warmup=0.0, save_every=10**6,
        packing="on" if packed else "off", log_every=10,
    )  # fmt: skip
    trainer, _, _ = build_trainer(recipe, snapshot, str(folder / "base"), folder / ("packed" if packed else "ours"), device)
    trainer.args.eval_strategy = trainer.args.save_strategy = "no"
    return trainer


def held_out_loss(trainer: Any, snapshot: Snapshot, folder: Path, length: int) -> float:
    """Return nats a token of the held-out answers, one example at a time, in the same way for every trainer."""
    import torch

    from llmflow.finetuning.base import load_tokenizer
    from llmflow.finetuning.encoding import encode_sft

    tokenizer = load_tokenizer(str(folder / "base"))
    total, borne = 0.0, 0
    model = trainer.model.eval()
    for row in encode_sft(snapshot.examples("validation"), tokenizer, None, length, everything=False).rows:
        batch = {key: torch.tensor([value], device=model.device) for key, value in row.items()}
        count = int((batch["labels"][:, 1:] != -100).sum())
        with torch.no_grad(), trainer.compute_loss_context_manager():
            logits = model(input_ids=batch["input_ids"], use_cache=False).logits[0, :-1].float()
        total += float(torch.nn.functional.cross_entropy(logits, batch["labels"][0, 1:], reduction="sum"))
        borne += count
    return total / borne


def operations_a_token(model: Any, length: int) -> float:
    """Return what the mathematics needs for a token: 4 a frozen weight (forward, and backward to the activations), 6 a trained
    one, and causal attention over half a row. What is recomputed or padded is not counted as work."""
    config = model.config.get_text_config()
    embedding = 0 if config.tie_word_embeddings else config.vocab_size * config.hidden_size  # looked up, not multiplied
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    frozen = sum(weight.numel() for weight in model.parameters()) - trained - embedding
    return 4 * frozen + 6 * trained + 6 * config.num_hidden_layers * config.hidden_size * length


def _peak() -> tuple[float, str]:
    """Return operations a second and where the figure is from: the data sheet, else a large matrix product just now."""
    import torch

    name = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    known = next((value for key, value in PEAKS.items() if key in name), 0.0)
    if known:
        return known, "the data sheet"
    side = 1024
    one = torch.rand(side, side)
    start = perf_counter()
    for _ in range(10):
        one @ one
    return 10 * 2 * side**3 / (perf_counter() - start), "a matrix product just now"


def _resident_gb() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
