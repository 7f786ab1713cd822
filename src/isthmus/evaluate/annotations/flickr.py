"""Flickr-SoundNet (Senocak et al., 2018): 250 frames with the boxes of three annotators; its extension by negatives."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from isthmus.base.errors import IsthmusError, reading
from isthmus.evaluate.annotations.account import Account
from isthmus.evaluate.annotations.boxes import boxes_of
from isthmus.evaluate.annotations.data import Corners, DataItem, Pairs, Sample, Samples
from isthmus.evaluate.annotations.folder import DataFolder
from isthmus.evaluate.annotations.tables import DOWNLOAD_AGAIN, lines_of, named_rows, rows_of

TEST, NEGATIVES = "flickr_test.csv", "flickr_test_plus_silent.csv"
SOURCE = "https://github.com/ardasnck/learning_to_localize_sound_source"
EXTENDED = "https://github.com/stoneMo/SLAVC (metadata)"
AGREEING = 2
"""Annotators who have to agree on a pixel for its full weight."""
SIDE = 256
"""Boxes are in pixels of frames with this width and height."""


def read_pairs(folder: DataFolder) -> Pairs:
    """The frame and the sound of every clip: of ``flickr_pairs.txt`` if there is one, else of the test set."""
    account = Account()
    listed = folder.find("flickr_pairs.txt")
    names = _test_names(folder, account) if listed is None else lines_of(listed)
    if listed is not None:
        account.rows = len(names)
    entries = [_entry(name) for name in dict.fromkeys(names)]
    return Pairs({"image": entries, "audio": entries}, account)


def read_boxes(folder: DataFolder) -> Samples:
    """The frames of the test set with the boxes of every annotator, read from ``<id>.xml``."""
    account = Account()
    files = {path.stem: path for path in folder.files if path.suffix.lower() == ".xml"}
    if not files:
        raise IsthmusError(f"{folder}: has no boxes (<id>.xml, 250 files): get Annotations.zip from {SOURCE}")
    samples = []
    for name in _test_names(folder, account):
        if name not in files:
            account.leave_out("frame without a file of boxes", name)
            continue
        samples.append(Sample(_entry(name), _entry(name), True, _boxes(files[name], account)))
    return Samples(samples, account, AGREEING)


def read_extended(folder: DataFolder) -> Samples:
    """The test set, and as many negatives: frames with the sound of another clip."""
    positives = read_boxes(folder)
    path = folder.file(NEGATIVES, source=EXTENDED)
    negatives = [
        Sample(_entry(row["video"]), _entry(row["audio"]), False)
        for _, row in named_rows(path, ("video", "audio", "label"), positives.account)
    ]
    return Samples([*positives.samples, *negatives], positives.account, AGREEING)


def _boxes(path: Path, account: Account) -> tuple[tuple[Corners, ...], ...]:
    """The boxes of each annotator: the ``bbox`` elements in it, each of four numbers after a name."""
    with reading(path, DOWNLOAD_AGAIN):
        root = ElementTree.fromstring(path.read_text(encoding="utf-8-sig"))
        found = [
            [[float(side.text or "nan") / SIDE for side in list(box)[-4:]] for box in annotator.findall("bbox")]
            for annotator in root
        ]
        return tuple(boxes_of(own, "corners", account, path.name) for own in found if own)


def _test_names(folder: DataFolder, account: Account) -> list[str]:
    path = folder.file(TEST, source=EXTENDED)
    return [row[0] for _, row in rows_of(path, 2, account)]


def _entry(name: str) -> DataItem:
    return DataItem(name, name, (name,))
