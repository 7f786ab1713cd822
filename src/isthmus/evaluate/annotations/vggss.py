"""VGGSS (Chen et al., 2021): frames of VGGSound with the boxes of what sounds; its extension by negatives."""

from __future__ import annotations

from isthmus.base.errors import reading
from isthmus.base.json_files import read_json
from isthmus.evaluate.annotations.account import Account
from isthmus.evaluate.annotations.boxes import boxes_of
from isthmus.evaluate.annotations.data import DataItem, Pairs, Sample, Samples
from isthmus.evaluate.annotations.folder import DataFolder
from isthmus.evaluate.annotations.tables import DOWNLOAD_AGAIN, named_rows
from isthmus.evaluate.annotations.youtube import clip_names, clip_of

BOXES, NEGATIVES = "vggss.json", "vggss_test_plus_silent.csv"
SOURCE = "https://www.robots.ox.ac.uk/~vgg/research/lvs/"
EXTENDED = "https://github.com/stoneMo/SLAVC (metadata)"


def read_boxes(folder: DataFolder) -> Samples:
    """Every frame with its boxes; boxes without an area are left out and counted, their frames stay."""
    account = Account()
    path = folder.file(BOXES, source=SOURCE)
    content = read_json(path, DOWNLOAD_AGAIN, finite=False)
    samples = []
    with reading(path, DOWNLOAD_AGAIN):
        for row in content:
            account.rows += 1
            name, label = str(row["file"]), str(row["class"])
            boxes = boxes_of(row["bbox"], "corners", account, f"{path.name}: {name}")
            samples.append(Sample(_entry(name), _entry(name), True, (boxes,), (label,)))
    return Samples(samples, account)


def read_extended(folder: DataFolder) -> Samples:
    """The frames with boxes, and as many negatives: frames with a sound whose source they do not show."""
    positives = read_boxes(folder)
    path = folder.file(NEGATIVES, source=EXTENDED)
    negatives = []
    for _, row in named_rows(path, ("video", "audio", "label"), positives.account):
        if row["video"] == row["audio"]:
            positives.account.noted["negative with the clip's own sound"] += 1
        negatives.append(Sample(_entry(row["video"]), _entry(row["audio"]), False))
    return Samples([*positives.samples, *negatives], positives.account)


def read_pairs(folder: DataFolder) -> Pairs:
    """The frame and the sound of every clip."""
    path = folder.file(BOXES, "vggss_test.csv", source=SOURCE)
    account = Account()
    if path.suffix == ".json":
        content = read_json(path, DOWNLOAD_AGAIN, finite=False)
        with reading(path, DOWNLOAD_AGAIN):
            names = [str(row["file"]) for row in content]
    else:
        with reading(path, DOWNLOAD_AGAIN):
            names = path.read_text(encoding="utf-8-sig").split()
    account.rows = len(names)
    entries = [_entry(name) for name in dict.fromkeys(names)]
    if len(entries) < len(names):
        account.noted["row of a clip that came before"] = len(names) - len(entries)
    return Pairs({"image": entries, "audio": entries}, account)


def _entry(name: str) -> DataItem:
    return DataItem(name, name, (name, *clip_names(*clip_of(name))))
