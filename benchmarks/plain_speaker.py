"""A model that costs what its shape costs and says words of the sample, whatever it is asked.

Random weights write noise: signs, digits and brackets without a blank, which whoever masks an answer while it streams has to hold
back for long. How soon words are shown is measured with words.
"""

import re
from collections.abc import Sequence
from pathlib import Path


def speak_plainly(base: Path, texts: Sequence[str], tokens: int = 64) -> str:
    """Rewrite the weights of a Llama in `base` so that it answers about `tokens` tokens of plain Korean words, and return them.

    Every layer computes what it did; only what it adds to its input is zero, so that the next token follows from the last one.
    """
    import torch
    from safetensors.torch import load_file, save_file
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    chain = [tokenizer.encode("<|im_start|>assistant\n", add_special_tokens=False).ids[-1]]
    for word in dict.fromkeys(re.findall(r"(?<![^\s])[가-힣]{2,6}(?![^\s])", "\n".join(texts))):
        own = tokenizer.encode(f" {word}", add_special_tokens=False).ids
        if len(set(own)) == len(own) and not set(own) & set(chain):
            chain += own
        if len(chain) > tokens:
            break
    end = tokenizer.token_to_id("<|im_end|>")
    path = base / "model.safetensors"
    weights = load_file(path)
    for name, weight in weights.items():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            weight.zero_()
    embedded, head = weights["model.embed_tokens.weight"], weights["lm_head.weight"]
    if not embedded.any():
        raise ValueError(f"{path} has no embeddings: remove its folder and run again.")
    head.zero_()
    for token, following in zip(chain, [*chain[1:], end], strict=True):
        head[following] = torch.nn.functional.normalize(embedded[token], dim=0)
    save_file(weights, path, metadata={"format": "pt"})
    return tokenizer.decode(chain[1:])
