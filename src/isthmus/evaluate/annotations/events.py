"""Clips with events on a time line: AVE, AVVP (LLP), VGGSound-AVEL and UCF101, for cross-modal generalisation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from isthmus.base.errors import IsthmusError
from isthmus.evaluate.annotations.account import Account
from isthmus.evaluate.annotations.data import DataItem, Pairs, Stream, Streams
from isthmus.evaluate.annotations.folder import DataFolder
from isthmus.evaluate.annotations.tables import lines_of, named_rows, rows_of
from isthmus.evaluate.annotations.youtube import clip_names, clip_of
from isthmus.metrics.segments import Event

SECONDS = 10.0
AVE = "https://github.com/YapengTian/AVE-ECCV18"
CMG = "https://github.com/haihuangcode/CMG (data/data)"
AVE_LISTS = {"train": "trainSet.txt", "dev": "valSet.txt", "test": "testSet.txt"}
AVE_NAMES = {
    "Dog": "Bark",
    "Car": "Race car, auto racing",
    "Violin_fiddle": "Violin, fiddle",
    "Frying_(food)": "Frying (food)",
    "Acoustic_guitar": "Acoustic guitar",
    "Baby_cry_infant_cry": "Baby cry, infant cry",
}
"""Classes of AVVP that AVE names otherwise."""
NO_LENGTH = "event without a length"


def read_ave(folder: DataFolder) -> Streams:
    """AVE's clips, one event in each, both modalities alike.

    The splits are those of ``trainSet.txt``, ``valSet.txt`` and ``testSet.txt``. Without these lists, which are not
    part of the annotations, a hash of the id decides: seven tenths train, a tenth dev, two tenths test.
    """
    path = folder.file("Annotations.txt", source=AVE)
    account = Account()
    split_of = _ave_splits(folder, account)
    rows: dict[str, tuple[str, list[tuple[str, float, float]]]] = {}
    for where, (label, video, _, start, end) in rows_of(path, 5, account, separator="&"):
        if label == "Category":
            account.rows -= 1  # the header is not a row
            continue
        if float(end) <= float(start):
            account.leave_out(NO_LENGTH, f"{where}: {label} {start} to {end}")
            continue
        rows.setdefault(video, (label, []))[1].append((label, float(start), float(end)))
    repeated = sum(len(own) - 1 for _, own in rows.values())
    if repeated:
        account.noted["further event of the same clip"] = repeated
    classes = sorted({label for _, own in rows.values() for label, _, _ in own})
    number = {label: place for place, label in enumerate(classes)}
    streams = [
        Stream(
            DataItem(video, video, clip_names(video)),
            tuple(Event(number[label], start, end) for label, start, end in own),
            split_of.get(video, _hashed_split(video)),
        )
        for video, (_, own) in rows.items()
    ]
    return Streams(classes, {"image": streams, "audio": streams}, account)


def read_ave_pairs(folder: DataFolder) -> Pairs:
    """A frame and the sound of each of AVE's clips; a clip that is annotated twice is one clip."""
    path = folder.file("Annotations.txt", source=AVE)
    account = Account()
    videos = [row[1] for _, row in rows_of(path, 5, account, separator="&")][1:]
    account.rows = len(videos)
    entries = [DataItem(video, video, clip_names(video)) for video in dict.fromkeys(videos)]
    if len(entries) < len(videos):
        account.noted["further event of the same clip"] = len(videos) - len(entries)
    return Pairs({"image": entries, "audio": entries}, account)


def read_avvp(folder: DataFolder) -> Streams:
    """What is seen and what is heard in the test clips of AVVP, from the two checked lists."""
    files = {"image": "AVVP_eval_visual_checked_combined.csv", "audio": "AVVP_eval_audio_checked_combined.csv"}
    return _parsing(folder, files, "AVVP_Categories.txt")


def read_ave_avvp(folder: DataFolder) -> Streams:
    """The part of AVVP whose twelve classes AVE has too, and AVE's clips of these classes, which a head learns from."""
    files = {
        "image": "AVE_AVVP_eval_visual_checked_combined.csv",
        "audio": "AVE_AVVP_eval_audio_checked_combined.csv",
    }
    found = _parsing(folder, files, "AVE_AVVP_Categories.txt")
    ave = read_ave(folder)
    names = {AVE_NAMES.get(label, label): place for place, label in enumerate(found.classes)}
    absent = [name for name in names if name not in ave.classes]
    if absent:
        raise IsthmusError(f"{folder}: AVE has no class {absent[0]!r}: its Annotations.txt is of another version")
    place = {number: names[label] for number, label in enumerate(ave.classes) if label in names}
    shared = [
        own._replace(
            events=tuple(event._replace(label=place[event.label]) for event in own.events if event.label in place)
        )
        for own in ave.by_modality["image"]
    ]
    taught = [own for own in shared if own.events]
    found.account.rows += ave.account.rows
    for reason, count in ave.account.left_out.items():
        found.account.left_out[reason] += count
        found.account.examples.setdefault(reason, []).extend(ave.account.examples[reason])
    return replace(found, taught={"image": taught, "audio": taught})


def read_avel(folder: DataFolder, size: str = "40k") -> Streams:
    """The clips of VGGSound-AVEL that codes are pretrained on, with their class and split: 24k, 40k or 90k.

    The published 24k are the clips of 40k's train split. An event lasts the whole clip, because the list has no times.
    """
    usual = {"24k": "vggsound-avel40k.csv", "40k": "vggsound-avel40k.csv", "90k": "vggsound-avel90k-new.csv"}[size]
    path = folder.file(usual, source=CMG)
    classes = lines_of(folder.file("VggsoundAVEL40kCategories.txt", source=CMG))
    account = Account()
    streams = []
    for where, row in named_rows(path, ("category", "video_id", "split"), account):
        if row["category"] not in classes:
            account.leave_out("unknown class", f"{where}: {row['category']}")
            continue
        if size == "24k" and row["split"] != "train":
            continue
        events = (Event(classes.index(row["category"]), 0.0, SECONDS),)
        streams.append(Stream(_clip(row["video_id"]), events, row["split"].replace("val", "dev")))
    return Streams(classes, {"image": streams, "audio": streams}, account)


def read_ucf_vggsound(folder: DataFolder) -> Streams:
    """Silent videos of UCF101 and sounds of VGGSound, of classes that both name.

    Sixteen names are listed, but one of them has no videos and another no sounds: these are left out and counted.
    """
    names = {
        "image": [
            line.split("\t")[0] for line in lines_of(folder.file("UCF101sameVGGSound.txt", source=CMG))
        ],  # one line has a second name after a tab
        "audio": lines_of(folder.file("VGGSoundsameUCF101.txt", source=CMG)),
    }
    account = Account()
    videos = list(named_rows(folder.file("ucf2vggsound.csv", source=CMG), ("category", "video_id"), account))
    sounds = list(named_rows(folder.file("vggsound2ucf.csv", source=CMG), ("category", "video_id", "split"), account))
    has = [{row["category"] for _, row in rows} for rows in (videos, sounds)]
    both = [
        pair for pair in zip(names["image"], names["audio"], strict=True) if pair[0] in has[0] and pair[1] in has[1]
    ]
    places = [{pair[side]: place for place, pair in enumerate(both)} for side in (0, 1)]
    streams: dict[str, list[Stream]] = {"image": [], "audio": []}
    for modality, rows, place in (("image", videos, places[0]), ("audio", sounds, places[1])):
        for where, row in rows:
            if row["category"] not in place:
                account.leave_out("class that the other modality lacks", f"{where}: {row['category']}")
                continue
            entry = DataItem(row["video_id"], row["video_id"], (row["video_id"], *_clip(row["video_id"]).names))
            split = row.get("split", "").replace("val", "dev") or _hashed_split(row["video_id"])
            streams[modality].append(Stream(entry, (Event(place[row["category"]], 0.0, SECONDS),), split))
    return Streams([pair[1] for pair in both], streams, account)


def _parsing(folder: DataFolder, files: Mapping[str, str], names: str) -> Streams:
    """Tables whose cells list the starts, the ends and the classes of all events of a clip."""
    classes = lines_of(folder.file(names, source=CMG))
    account = Account()
    streams: dict[str, list[Stream]] = {}
    for modality, name in files.items():
        path = folder.file(name, source=CMG)
        found: dict[str, list[Event]] = {}
        for where, row in named_rows(path, ("filename", "onset", "offset", "event_labels"), account, separator="\t"):
            if row["filename"] in found:
                account.noted["further row of the same clip"] += 1
            found.setdefault(row["filename"], []).extend(_events(row, classes, account, where))
        streams[modality] = [Stream(_clip(clip), tuple(own), _hashed_split(clip)) for clip, own in found.items()]
    return Streams(classes, streams, account, several=True)


def _events(row: Mapping[str, str], classes: list[str], account: Account, where: str) -> list[Event]:
    cells = [row[column].split(",") for column in ("event_labels", "onset", "offset")]
    if len({len(cell) for cell in cells}) > 1:
        account.leave_out("as many starts, ends and classes as there should be are not given", where)
        return []
    found = []
    for label, start, end in zip(*cells, strict=True):
        if label not in classes:
            account.leave_out("unknown class", f"{where}: {label}")
        elif float(end) <= float(start):
            account.leave_out(NO_LENGTH, f"{where}: {label} {start} to {end}")
        else:
            found.append(Event(classes.index(label), float(start), float(end)))
    return found


def _ave_splits(folder: DataFolder, account: Account) -> dict[str, str]:
    found: dict[str, str] = {}
    for split, name in AVE_LISTS.items():
        path = folder.find(name)
        if path is not None:
            found |= {row[1]: split for _, row in rows_of(path, 5, Account(), separator="&")}
    if not found:
        account.noted["clip whose split a hash of its id decides, because trainSet.txt is absent"] = 1
    return found


def _hashed_split(name: str) -> str:
    """Seven tenths train, a tenth dev, two tenths test."""
    tenth = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 10
    return "train" if tenth < 7 else "dev" if tenth == 7 else "test"


def _clip(name: str) -> DataItem:
    return DataItem(name, name, tuple(dict.fromkeys((name, *clip_names(*clip_of(name))))))
