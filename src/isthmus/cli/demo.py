"""The demo command."""

from pathlib import Path


def demo(
    out: Path = Path("demo"),
    images: Path | None = None,
    speech: Path | None = None,
    seed: int = 0,
    retrain: bool = False,
    quick: bool = False,
) -> None:
    """Find spoken numbers by handwritten ones, though no picture was ever paired with a sound.

    Args:
        out: Folder for the report, the connector and the results; run again, finished parts are kept.
        images: Handwritten digits: MNIST idx files or an npz of images and labels; default: the embedded ones.
        speech: Spoken digits: FSDD wav files or an npz of recordings; default: the embedded ones.
        seed: The same seed on the same machine gives the same result.
        retrain: Train the two small spaces anew instead of loading their weights.
        quick: A shortened run: fewer methods, smaller galleries, no ablation.
    """
    from isthmus.demo import run_demo

    run_demo(out, images=images, speech=speech, seed=seed, retrain=retrain, quick=quick)
