"""What Ctrl-C says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def kept_on_interrupt(kept: Callable[[], str]) -> Iterator[None]:
    """Say what an interrupted block leaves behind; ``kept`` is asked only if the block is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(kept()) from None


def kept_checkpoints(out: Path) -> str:
    """What an interrupted training run leaves in its output folder."""
    from isthmus.training.checkpoint import is_checkpoint

    if any(is_checkpoint(file) for file in out.glob("*training.checkpoint*")):
        return f"a checkpoint is in {out}; run the same command again to continue"
    return "nothing was saved"
