"""Several processes of one training run, as `accelerate launch` starts them: who writes, and in which order."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def is_main() -> bool:
    """Return whether this process is the one that writes; alone, it is."""
    return int(os.environ.get("RANK", "0")) == 0


@contextmanager
def main_first() -> Iterator[None]:
    """Let the main process through the block before the others, which then find done what it did."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    import torch
    from accelerate import PartialState

    with PartialState(cpu=not torch.cuda.is_available()).main_process_first():
        yield
