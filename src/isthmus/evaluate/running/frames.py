"""Frames of videos, for data sets of which people have the videos only: the middle one, kept as a picture file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from isthmus.base.atomic import atomic_path
from isthmus.base.errors import IsthmusError
from isthmus.base.hashing import fingerprint_of
from isthmus.base.progress import OnProgress, Stage, reporting
from isthmus.media.item import stamp_of
from isthmus.media.readers.video import read_video

TakeFrames = Callable[[Mapping[str, Path]], Mapping[str, Path]]
"""Maps videos by the id of their item to pictures of their middle frames."""


def videos_themselves(videos: Mapping[str, Path]) -> Mapping[str, Path]:
    """Takes no frames: to count what there is."""
    return videos


def taking_frames(folder: Path, progress: bool | OnProgress = False) -> TakeFrames:
    """Takes the middle frame of each video and keeps it in ``folder``, so that it is taken once.

    A video that cannot be read stands for itself: embedding it as an image fails, and says why.
    """

    def take(videos: Mapping[str, Path]) -> Mapping[str, Path]:
        taken: dict[str, Path] = {}
        stage = Stage("taking frames from videos", len(videos))
        with reporting(progress) as report:
            for number, (name, video) in enumerate(videos.items(), start=1):
                taken[name] = _frame_of(video, folder)
                report(stage.at(number))
        return taken

    return take


def _frame_of(video: Path, folder: Path) -> Path:
    kept = folder / f"{video.stem}-{fingerprint_of(str(video.absolute()), stamp_of(video))[:8]}.png"
    if kept.exists():
        return kept
    try:
        (image,) = read_video(video, frames=1).images()
    except IsthmusError:
        return video
    with atomic_path(kept) as part:
        image.save(part)
    return kept
