"""The demo command."""

from pathlib import Path

from isthmus.cli.interruption import kept_on_interrupt


def demo(
    *,
    out: Path = Path("demo"),
    images: Path | None = None,
    speech: Path | None = None,
    seed: int = 0,
    retrain: bool = False,
    quick: bool = False,
) -> None:
    """Find spoken numbers from handwritten ones, without any image-audio pairs.

    Finished parts are kept in --out: after an interruption, run the same command again.

    Args:
        out: Folder for the report, the connector and the results.
        images: Handwritten digits to use instead of the built-in ones: MNIST idx files, or an .npz of images and
            labels.
        speech: Spoken digits to use instead of the built-in ones: FSDD .wav files, or an .npz of recordings.
        seed: Random seed; the same seed gives the same result on the same machine.
        retrain: Train the two encoders from scratch instead of loading their weights.
        quick: Run fewer methods on smaller galleries and skip the ablation.
    """
    from isthmus.demo import run_demo

    with kept_on_interrupt(lambda: f"finished parts are in {out}; run the same command again to continue"):
        run_demo(out, images=images, speech=speech, seed=seed, retrain=retrain, quick=quick)
