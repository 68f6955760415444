"""A base with its adapters in this process, through transformers and PEFT: losses and greedy answers, one adapter at a time.

What the gate measures with. That vLLM says the same is a test of the serving environment.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llmflow.finetuning.base import load_tokenizer, quiet_libraries
from llmflow.finetuning.types import Example, Message

IGNORED = -100


@dataclass(frozen=True, slots=True)
class Generated:
    text: str
    ended: bool
    """The model stopped by itself within the limit."""


class LocalModel:
    """Loads the base once. `use` says which adapter answers; None is the base alone."""

    def __init__(self, base: str, adapters: Mapping[str, str], batch: int = 8, threads: int = 0):
        self._base = base
        self._adapters = dict(adapters)
        self._batch = batch
        self._threads = threads
        self._model: Any = None
        self._tokenizer: Any = None

    @contextmanager
    def use(self, adapter: str | None) -> Iterator["LocalModel"]:
        """Answer with that adapter inside the block."""
        self._load()
        if adapter is None:
            if not self._adapters:
                yield self
                return
            with self._model.disable_adapter():
                yield self
            return
        self._model.set_adapter(adapter)
        yield self

    def answer_losses(self, pairs: Sequence[tuple[Sequence[Message], str]]) -> list[float]:
        """Return the loss of each answer after its prompt, in nats a token, the end of the turn included."""
        rows = []
        for prompt, answer in pairs:
            begun = self._prompt_ids(prompt)
            ended = self._tokenizer(f"{answer}{self._end(prompt)}", add_special_tokens=False)["input_ids"]
            rows.append((begun, ended))
        return [total / max(tokens, 1) for total, tokens in self._losses(rows)]

    def text_losses(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[float, int]]:
        """Return (summed nats, tokens) of each text after what stands before it, as plain text without a template."""
        self._load()
        start = [self._tokenizer.bos_token_id] if self._tokenizer.bos_token_id is not None else [self._tokenizer.eos_token_id]
        rows = []
        for before, text in pairs:
            begun = self._tokenizer(before, add_special_tokens=False)["input_ids"] if before else []
            rows.append(([*start, *begun], self._tokenizer(text, add_special_tokens=False)["input_ids"]))
        return self._losses(rows)

    def answers(self, prompts: Sequence[Sequence[Message]], max_tokens: int) -> list[Generated]:
        """Return the greedy answer to each prompt, in order."""
        self._load()
        return self.continued([self._prompt_ids(prompt) for prompt in prompts], max_tokens)

    def fits(self, prompt: Sequence[Message], max_tokens: int) -> bool:
        """Return whether prompt and answer fit the model's context."""
        self._load()
        limit = getattr(self._model.config, "max_position_embeddings", None)
        return limit is None or len(self._prompt_ids(prompt)) + max_tokens <= limit

    def continued_answers(self, pairs: Sequence[tuple[Sequence[Message], str]], max_tokens: int) -> list[Generated]:
        """Return how each begun answer goes on."""
        self._load()
        rows = []
        for prompt, begun in pairs:
            rows.append([*self._prompt_ids(prompt), *self._tokenizer(begun, add_special_tokens=False)["input_ids"]])
        return self.continued(rows, max_tokens)

    def continued(self, rows: Sequence[list[int]], max_tokens: int) -> list[Generated]:
        """Return what greedy decoding appends to each row of tokens."""
        import torch

        self._load()
        pad, stops = self._tokenizer.pad_token_id, self._stops()
        found: list[Generated] = []
        for start in range(0, len(rows), self._batch):
            part = rows[start : start + self._batch]
            width = max(map(len, part))
            ids = torch.tensor([[pad] * (width - len(row)) + row for row in part])
            mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in part])
            greedy = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
            with torch.no_grad():
                made = self._model.generate(
                    input_ids=ids.to(self._model.device), attention_mask=mask.to(self._model.device),
                    max_new_tokens=max_tokens, pad_token_id=pad, eos_token_id=sorted(stops), **greedy,
                )  # fmt: skip
            for row in made[:, width:].tolist():
                end = next((position for position, token in enumerate(row) if token in stops), None)
                found.append(Generated(self._tokenizer.decode(row[:end], skip_special_tokens=True), end is not None))
        return found

    def render(self, prompt: Sequence[Message]) -> str:
        """Return the prompt as the model's template writes it, ready for the answer."""
        self._load()
        messages = [message.for_template() for message in prompt]
        return self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)

    def _prompt_ids(self, prompt: Sequence[Message]) -> list[int]:
        return self._tokenizer(self.render(prompt), add_special_tokens=False)["input_ids"]

    def _end(self, prompt: Sequence[Message]) -> str:
        """Return what the template writes after an answer: the end of the turn."""
        whole = self._tokenizer.apply_chat_template(
            [*(message.for_template() for message in prompt), {"role": "assistant", "content": "x"}], tokenize=False
        )
        tail = whole[len(self.render(prompt)) :]
        return tail.partition("x")[2].rstrip() if tail.startswith("x") else self._tokenizer.eos_token

    def _stops(self) -> set[int]:
        known = {self._tokenizer.eos_token_id}
        configured = self._model.generation_config.eos_token_id
        known |= set(configured) if isinstance(configured, list) else {configured}
        known |= {self._tokenizer.convert_tokens_to_ids(mark) for mark in ("<|im_end|>", "<|eot_id|>")}
        return {token for token in known if token is not None and token != self._tokenizer.unk_token_id}

    def _losses(self, rows: Sequence[tuple[list[int], list[int]]]) -> list[tuple[float, int]]:
        import torch

        self._load()
        found: list[tuple[float, int]] = []
        for start in range(0, len(rows), self._batch):
            part = rows[start : start + self._batch]
            width = max(len(begun) + len(text) for begun, text in part)
            pad = self._tokenizer.pad_token_id
            ids = torch.tensor([[*b, *t, *[pad] * (width - len(b) - len(t))] for b, t in part])
            labels = torch.tensor([[*[IGNORED] * len(b), *t, *[IGNORED] * (width - len(b) - len(t))] for b, t in part])
            mask = torch.tensor([[1] * (len(b) + len(t)) + [0] * (width - len(b) - len(t)) for b, t in part])
            with torch.no_grad():
                device = self._model.device
                logits = self._model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits[:, :-1].float()
            wanted = labels[:, 1:].to(logits.device)
            each = torch.nn.functional.cross_entropy(logits.transpose(1, 2), wanted, ignore_index=IGNORED, reduction="none")
            found += [(float(row.sum()), int((mark != IGNORED).sum())) for row, mark in zip(each, wanted, strict=True)]
        return found

    def _load(self) -> None:
        if self._model is not None:
            return
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM

        if self._threads:
            torch.set_num_threads(self._threads)
        with quiet_libraries():
            self._tokenizer = load_tokenizer(self._base)
            dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
            model: Any = AutoModelForCausalLM.from_pretrained(self._base, dtype=dtype)
            for name, path in self._adapters.items():
                if isinstance(model, PeftModel):
                    model.load_adapter(path, adapter_name=name)
                else:
                    model = PeftModel.from_pretrained(model, path, adapter_name=name)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = model.to(device).eval()


def pairs_of(examples: Sequence[Example]) -> list[tuple[tuple[Message, ...], str]]:
    """Return prompt and answer of each example."""
    return [(example.prompt, example.answer.content) for example in examples]
