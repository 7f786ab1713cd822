"""The demo command."""

from pathlib import Path
from typing import Literal

from isthmus.cli.interruption import kept_on_interrupt


def demo(
    *,
    out: Path = Path("demo"),
    world: Literal["digits", "things"] = "digits",
    images: Path | None = None,
    drawings: Path | None = None,
    speech: Path | None = None,
    seed: int = 0,
    retrain: bool = False,
    quick: bool = False,
) -> None:
    """Find audio from images and the reverse, without any image-audio pairs.

    Finished parts are kept in --out: after an interruption, run the same command again.

    Args:
        out: Folder for the report, the connector and the results.
        world: digits has handwritten and spoken numbers, things has scenes and spoken sentences.
        images: Handwritten digits to use instead of the built-in ones: MNIST idx files, or an .npz of images and
            labels. For digits only.
        drawings: Your own drawings to test on: a folder of images named by what they show, such as dog.png. For things
            only.
        speech: Digits: spoken digits to use instead of the built-in ones, FSDD .wav files or an .npz of recordings.
            Things: your own recordings to test on, a folder of audio files named by what they say, such as dogs.wav.
        seed: Random seed; the same seed gives the same result on the same machine.
        retrain: Train the two encoders from scratch instead of loading their weights.
        quick: Run fewer methods on smaller galleries and skip the ablation.
    """
    from isthmus.demo import OwnMaterial, run_demo

    own = OwnMaterial(images, drawings, speech)
    with kept_on_interrupt(lambda: f"finished parts are in {out}; run the same command again to continue"):
        run_demo(out, world, own=own, seed=seed, retrain=retrain, quick=quick)
