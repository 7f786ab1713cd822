"""Captioned sounds, images and videos: AudioCaps, Clotho, COCO, Flickr30k, MSR-VTT.

A caption is an item of its own; it belongs to the clip or image that it describes. Empty captions are left out and
counted: an encoder gives all of them the same vector, which finds one clip and lowers recall for all others.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from isthmus.base.errors import IsthmusError, reading
from isthmus.base.json_files import read_json
from isthmus.evaluate.annotations.account import Account
from isthmus.evaluate.annotations.data import DataItem, Pairs
from isthmus.evaluate.annotations.folder import DataFolder
from isthmus.evaluate.annotations.tables import DOWNLOAD_AGAIN, named_rows
from isthmus.evaluate.annotations.youtube import clip_names

EMPTY, REPEATED = "empty caption", "caption that several items have"
AUDIOCAPS, CLOTHO = "https://github.com/cdjkim/audiocaps", "https://zenodo.org/records/4783391"
COCO, FLICKR30K = "https://cocodataset.org/#download", "https://cs.stanford.edu/people/karpathy/deepimagesent/"
MSRVTT = "https://github.com/ArrowLuo/CLIP4Clip (MSRVTT_JSFUSION_test.csv)"


def read_audiocaps(folder: DataFolder, split: str = "test") -> Pairs:
    """The sounds of a split and their captions, five to each in val and test."""
    path = folder.file(f"audiocaps_{split}.csv", f"{split}.csv", source=AUDIOCAPS)
    return _table(path, "audio", youtube=True)


def read_clotho(folder: DataFolder, split: str = "test") -> Pairs:
    """The sounds of a split and their five captions; ``test`` is what its authors call evaluation."""
    usual = {"train": "development", "val": "validation", "test": "evaluation"}[split]
    path = folder.file(
        f"clotho_captions_{usual}.csv", f"clotho_{split}.csv", f"{usual}.csv", f"{split}.csv", source=CLOTHO
    )
    return _table(path, "audio", youtube=False)


def read_coco(folder: DataFolder) -> Pairs:
    """The 5000 images of val2017 and their captions."""
    path = folder.file("captions_val2017.json", source=COCO)
    content = read_json(path, DOWNLOAD_AGAIN, finite=False)
    with reading(path, DOWNLOAD_AGAIN):
        images = {int(own["id"]): str(own["file_name"]) for own in content["images"]}
        captions = [(int(own["image_id"]), str(own["caption"])) for own in content["annotations"]]
    account = Account()
    found: list[tuple[str, list[str]]] = [(name, []) for name in images.values()]
    of_image = {number: own for number, (_, own) in zip(images, found, strict=True)}
    for number, caption in captions:
        if number in of_image:
            of_image[number].append(caption)
        else:
            account.leave_out("caption of an image that is not listed", f"{path.name}: image {number}")
    return _pairs("image", found, account)


def read_flickr30k(folder: DataFolder) -> Pairs:
    """The 1000 test images of Karpathy's split and their five captions."""
    path = folder.file("dataset_flickr30k.json", source=FLICKR30K)
    content = read_json(path, DOWNLOAD_AGAIN, finite=False)
    with reading(path, DOWNLOAD_AGAIN):
        test = [own for own in content["images"] if own["split"] == "test"]
        found = [(str(own["filename"]), [str(one["raw"]) for one in own["sentences"]]) for own in test]
    return _pairs("image", found, Account())


def read_msrvtt(folder: DataFolder) -> Pairs:
    """The videos of the 1k-A test set as sounds and as moving pictures; those without a sound track have no sound."""
    path = folder.file("MSRVTT_JSFUSION_test.csv", source=MSRVTT)
    account = Account()
    videos = dict.fromkeys(row["video_id"] for _, row in named_rows(path, ("video_id", "sentence"), account))
    entries = [DataItem(name, name, (name,)) for name in videos]
    return Pairs({"audio": entries, "video": entries}, account)


def _table(path: Path, modality: str, *, youtube: bool) -> Pairs:
    """A table of ``file_name`` and captions, as it is published; or one row per caption of a YouTube clip."""
    with reading(path, DOWNLOAD_AGAIN), path.open(encoding="utf-8-sig") as file:
        header = [name.strip() for name in next(iter(file), "").split(",")]
    account = Account()
    if "youtube_id" in header:
        return _per_caption(path, modality, account)
    columns = [name for name in header if name.startswith("caption")]
    if not columns:
        raise IsthmusError(f"{path}: has no column of captions (it has {', '.join(header)}): {DOWNLOAD_AGAIN}")
    rows = named_rows(path, ("file_name", *columns), account)
    found = [(row["file_name"], [row[column] for column in columns]) for _, row in rows]
    return _pairs(modality, found, account, youtube=youtube)


def _per_caption(path: Path, modality: str, account: Account) -> Pairs:
    found: dict[str, list[str]] = {}
    starts: dict[str, int] = {}
    for _, row in named_rows(path, ("youtube_id", "start_time", "caption"), account):
        found.setdefault(row["youtube_id"], []).append(row["caption"])
        starts[row["youtube_id"]] = int(float(row["start_time"]))
    names = {video: clip_names(video, start, start + 10) for video, start in starts.items()}
    return _pairs(modality, found.items(), account, names=names)


def _pairs(
    modality: str,
    found: Iterable[tuple[str, list[str]]],
    account: Account,
    *,
    youtube: bool = False,
    names: dict[str, tuple[str, ...]] | None = None,
) -> Pairs:
    """Items with their captions as pairs of two modalities."""
    items: list[DataItem] = []
    texts: list[DataItem] = []
    for name, captions in found:
        items.append(DataItem(name, name, names[name] if names else _stems(name, youtube)))
        for number, caption in enumerate(captions):
            if not caption.strip():
                account.leave_out(EMPTY, f"{name}: caption {number + 1}")
            else:
                texts.append(DataItem(f"{name}#{number}", name, text=caption.strip()))
    account.rows = max(account.rows, len(items))
    groups: dict[str, set[str]] = {}
    for own in texts:
        groups.setdefault(own.text, set()).add(own.group)
    repeated = sum(len(own) > 1 for own in groups.values())
    if repeated:
        account.noted[REPEATED] = repeated
    return Pairs({modality: items, "text": texts}, account)


def _stems(name: str, youtube: bool) -> tuple[str, ...]:
    """A file name without suffix; AudioCaps puts a Y before the id of the video, other copies do not."""
    stem = name.rpartition(".")[0] or name
    return (stem, stem[1:]) if youtube and stem.startswith("Y") and len(stem) == 12 else (stem,)
