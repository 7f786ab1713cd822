"""MUSIC (Zhao et al., 2018): frames of instruments with boxes of left, top, width and height; solos and duets."""

from __future__ import annotations

from collections.abc import Mapping

from isthmus.base.errors import reading
from isthmus.base.json_files import read_json
from isthmus.evaluate.annotations.account import Account
from isthmus.evaluate.annotations.boxes import boxes_of
from isthmus.evaluate.annotations.data import DataItem, Sample, Samples
from isthmus.evaluate.annotations.folder import DataFolder
from isthmus.evaluate.annotations.tables import DOWNLOAD_AGAIN

SOURCE = "https://github.com/stoneMo/AVGN (metadata)"
FRAMES_SOURCE = "https://github.com/DTaoo/Discriminative-Sounding-Objects-Localization"


def read_solo(folder: DataFolder) -> Samples:
    """Frames of one instrument, with its box."""
    return _samples(folder, "music_solo.json", {"bbox": "class"})


def read_duet(folder: DataFolder) -> Samples:
    """Frames of two instruments that both play, with a box of each."""
    return _samples(folder, "music_duet.json", {"bbox_src1": "class_src1", "bbox_src2": "class_src2"})


def read_frames(folder: DataFolder, name: str) -> Samples:
    """Frames by path with the boxes of everything in them: ``solotest.json``, ``duettest.json``, ``audioset_box.json``.

    Frames without a box, which show no instrument, are negatives.
    """
    account = Account()
    path = folder.file(name, source=FRAMES_SOURCE)
    content = read_json(path, DOWNLOAD_AGAIN, finite=False)
    samples = []
    with reading(path, DOWNLOAD_AGAIN):
        for frame, row in content.items():
            account.rows += 1
            boxes = boxes_of([own["normbox"] for own in row["bbox"]], "xywh", account, f"{path.name}: {frame}")
            if not row["bbox"]:
                account.noted["frame that shows no instrument"] += 1
            clip, _, image = frame.partition("/")
            stem = image.rpartition("/")[2].removesuffix(".jpg")
            names = (frame.removesuffix(".jpg"), f"{clip}_{stem}", f"{clip}_{image.removesuffix('.jpg')}")
            samples.append(
                Sample(DataItem(frame, frame, names), DataItem(clip, clip, (clip,)), bool(row["bbox"]), (boxes,))
            )
    return Samples(samples, account)


def _samples(folder: DataFolder, name: str, fields: Mapping[str, str]) -> Samples:
    """Frames with one box for each field of boxes; ``fields`` has the field of the box's class."""
    account = Account()
    path = folder.file(name, source=SOURCE)
    content = read_json(path, DOWNLOAD_AGAIN, finite=False)
    samples = []
    with reading(path, DOWNLOAD_AGAIN):
        for row in content:
            account.rows += 1
            frame = str(row["file"])
            boxes = tuple(boxes_of([row[field]], "xywh", account, f"{path.name}: {frame}") for field in fields)
            labels = tuple(str(row[label]).replace("_", " ") for label in fields.values())
            samples.append(Sample(_frame(frame), _sound(frame), True, boxes, labels))
    return Samples(samples, account)


def _frame(name: str) -> DataItem:
    return DataItem(name, name, (name,))


def _sound(name: str) -> DataItem:
    """The sound around a frame: of the frame's own second, of its segment, or of the whole video."""
    segment = name.rpartition("_")[0]
    return DataItem(name, name, (name, segment, segment.rpartition("_")[0]))
