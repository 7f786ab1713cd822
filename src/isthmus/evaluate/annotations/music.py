"""MUSIC (Zhao et al., 2018): frames of instruments with boxes of left, top, width and height; solos and duets."""

from __future__ import annotations

from isthmus.base.errors import reading
from isthmus.base.json_files import read_json
from isthmus.evaluate.annotations.account import Account
from isthmus.evaluate.annotations.boxes import box_of_size
from isthmus.evaluate.annotations.data import Box, Entry, Sample, Samples
from isthmus.evaluate.annotations.folder import DataFolder
from isthmus.evaluate.annotations.tables import DOWNLOAD_AGAIN

SOURCE = "https://github.com/stoneMo/AVGN (metadata)"
FRAMES_SOURCE = "https://github.com/DTaoo/Discriminative-Sounding-Objects-Localization"


def read_solo(folder: DataFolder) -> Samples:
    """Frames of one instrument, with its box."""
    return _samples(folder, "music_solo.json", ("bbox",))


def read_duet(folder: DataFolder) -> Samples:
    """Frames of two instruments that both play, with a box of each."""
    return _samples(folder, "music_duet.json", ("bbox_src1", "bbox_src2"))


def read_frames(folder: DataFolder, name: str) -> Samples:
    """Frames by path with the boxes of everything in them: ``solotest.json``, ``duettest.json``, ``audioset_box.json``.

    Frames without a box, which show no instrument, are kept and noted.
    """
    account = Account()
    path = folder.file(name, source=FRAMES_SOURCE)
    content = read_json(path, DOWNLOAD_AGAIN, finite=False)
    with reading(path, DOWNLOAD_AGAIN):
        found = [(str(frame), [own["normbox"] for own in row["bbox"]]) for frame, row in content.items()]
    samples = []
    for frame, sides in found:
        account.rows += 1
        boxes = [box_of_size(own, account, f"{path.name}: {frame}") for own in sides]
        kept = tuple(box for box in boxes if box is not None)
        if not sides:
            account.noted["frame that shows no instrument"] += 1
        clip, _, image = frame.partition("/")
        stem = (image or frame).rpartition("/")[2].rpartition(".")[0] or (image or frame)
        samples.append(Sample(Entry(frame, frame, (frame, f"{clip}_{stem}")), Entry(clip, clip, (clip,)), kept))
    return Samples(samples, account)


def _samples(folder: DataFolder, name: str, fields: tuple[str, ...]) -> Samples:
    account = Account()
    path = folder.file(name, source=SOURCE)
    content = read_json(path, DOWNLOAD_AGAIN, finite=False)
    with reading(path, DOWNLOAD_AGAIN):
        found = [(str(row["file"]), [row[field] for field in fields]) for row in content]
    samples = []
    for frame, sides in found:
        account.rows += 1
        boxes = [box_of_size(own, account, f"{path.name}: {frame}") for own in sides]
        kept: tuple[Box, ...] = tuple(box for box in boxes if box is not None)
        if len(kept) < len(fields):
            account.leave_out("frame without all of its boxes", f"{path.name}: {frame}")
            continue
        samples.append(Sample(_frame(frame), _sound(frame), kept))
    return Samples(samples, account)


def _frame(name: str) -> Entry:
    return Entry(name, name, (name,))


def _sound(name: str) -> Entry:
    """The sound around a frame: of the frame's own second, of its segment, or of the whole video."""
    segment = name.rpartition("_")[0]
    return Entry(name, name, (name, segment, segment.rpartition("_")[0]))
