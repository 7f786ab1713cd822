"""Items with class names, for zero-shot classification: ESC-50, AudioSet, ImageNet, ModelNet40, ScanObjectNN, LVIS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isthmus.base.errors import IsthmusError, reading
from isthmus.base.json_files import read_json
from isthmus.evaluate.annotations.account import Account
from isthmus.evaluate.annotations.data import DataItem, Labelled, Pairs
from isthmus.evaluate.annotations.folder import DataFolder, plain_name
from isthmus.evaluate.annotations.tables import DOWNLOAD_AGAIN, lines_of, named_rows, rows_of
from isthmus.evaluate.annotations.youtube import clip_names
from isthmus.evaluate.zero_shot import read_names
from isthmus.media.readers.image import SUFFIXES as IMAGES
from isthmus.media.readers.points import SUFFIXES as POINTS

SOUND_TEMPLATE = "This is a sound of {}."
PHOTO_TEMPLATE = "a photo of a {}."
ULIP = "https://github.com/salesforce/ULIP (data/labels.json, data/templates.json)"
UNI3D = "https://github.com/baaivision/Uni3D (data/labels.json, data/templates.json)"
ESC50, AUDIOSET = "https://github.com/karolpiczak/ESC-50", "https://research.google.com/audioset/download.html"
IMAGENET = "https://image-net.org (or Kaggle: imagenet-object-localization-challenge)"
LVIS = "https://objaverse.allenai.org (lvis-annotations.json)"
LABEL_FILES = ("modelnet40_shapenet_labels.json", "uni3d_labels.json", "labels.json")
TEMPLATE_FILES = ("ulip_templates.json", "uni3d_templates.json", "templates.json")


def read_esc50(folder: DataFolder) -> Labelled:
    """The 2000 clips of ESC-50, all folds: nothing is trained, so none has to be kept apart."""
    path = folder.file("esc50.csv", source=ESC50)
    account = Account()
    rows = [row for _, row in named_rows(path, ("filename", "target", "category"), account)]
    names = {int(row["target"]): row["category"].replace("_", " ") for row in rows}
    classes = sorted(names)
    entries = [_file(row["filename"]) for row in rows]
    labels = [(classes.index(int(row["target"])),) for row in rows]
    return Labelled("audio", entries, labels, [names[own] for own in classes], [SOUND_TEMPLATE], account)


def read_audioset(folder: DataFolder) -> Labelled:
    """The evaluation segments of AudioSet; a segment has several of the 527 classes."""
    account = Account()
    names: dict[str, str] = {}
    path = folder.file("class_labels_indices.csv", source=AUDIOSET)
    for _, row in named_rows(path, ("mid", "display_name"), Account()):
        names[row["mid"]] = row["display_name"]
    number = {mid: place for place, mid in enumerate(names)}
    entries, labels = [], []
    path = folder.file("eval_segments.csv", source=AUDIOSET)
    for where, (video, start, end, marks) in rows_of(path, 4, account):
        known = tuple(number[mid] for mid in marks.split(",") if mid in number)
        if not known:
            account.leave_out("segment without a known class", f"{where}: {marks}")
            continue
        entries.append(DataItem(f"{video}_{start}", video, clip_names(video, int(float(start)), int(float(end)))))
        labels.append(known)
    return Labelled("audio", entries, labels, list(names.values()), [SOUND_TEMPLATE], account)


def read_imagenet(folder: DataFolder) -> Labelled:
    """The validation images, in folders named after WordNet ids or with ``LOC_val_solution.csv``."""
    account = Account()
    path = folder.file("LOC_synset_mapping.txt", source=IMAGENET)
    lines = [line.partition(" ") for line in lines_of(path)]
    number = {wnid: place for place, (wnid, _, _) in enumerate(lines)}
    classes = [names.split(",")[0].strip() for _, _, names in lines]
    solution = folder.find("LOC_val_solution.csv")
    if solution is not None:
        rows = list(named_rows(solution, ("ImageId", "PredictionString"), account))
        found = [(row["ImageId"], row["PredictionString"].split(" ")[0]) for _, row in rows]
    else:
        files = [path for path in folder.files if path.suffix.lower() in IMAGES and path.parent.name in number]
        found = [(path.stem, path.parent.name) for path in files if "train" not in path.parts[-4:-2]]
        account.rows = len(found)
    known = [(name, wnid) for name, wnid in found if wnid in number]
    for name, wnid in found:
        if wnid not in number:
            account.leave_out("unknown class", f"{name}: {wnid}")
    templates = _listed(folder, TEMPLATE_FILES, "IN1k_temp") or [PHOTO_TEMPLATE]
    entries = [_file(name) for name, _ in known]
    return Labelled("image", entries, [(number[wnid],) for _, wnid in known], classes, templates, account)


def read_modelnet40(folder: DataFolder) -> Labelled:
    """The 2468 test shapes, listed in ``modelnet40_test.txt`` or in folders ``<class>/test``."""
    classes = _labels(folder, "modelnet40", "modelnet40_openshape")
    templates = _templates(folder)
    account = Account()
    listed = folder.find("modelnet40_test.txt")
    if listed is not None:
        names = [(name, name.rpartition("_")[0]) for name in lines_of(listed)]
    else:
        files = _point_files(folder)
        tests = [path for path in files if path.parent.name == "test"]
        names = [(path.stem, path.parent.parent.name) for path in tests]
        names = names or [(path.stem, path.parent.name) for path in files]
    return _shapes(names, classes, templates, account)


def read_scanobjectnn(folder: DataFolder) -> Labelled:
    """Scanned objects as one file each, in folders named after the fifteen classes."""
    classes = _labels(folder, "scanobjnn_openshape")
    names = [(path.stem, path.parent.name) for path in _point_files(folder)]
    return _shapes(names, classes, _templates(folder), Account())


def read_objaverse(folder: DataFolder) -> Labelled:
    """The objects of Objaverse that have one of 1156 LVIS classes."""
    path = folder.file("lvis-annotations.json", "lvis_annotations.json", source=LVIS)
    content = read_json(path, DOWNLOAD_AGAIN, finite=False)
    with reading(path, DOWNLOAD_AGAIN):
        found = [(str(uid), str(label)) for label, uids in content.items() for uid in uids]
    classes = _listed(folder, LABEL_FILES, "objaverse_lvis_openshape") or list(dict.fromkeys(own for _, own in found))
    return _shapes(found, classes, _templates(folder), Account())


def read_objaverse_pairs(folder: DataFolder) -> Pairs:
    """The objects of Objaverse-LVIS, each as a point cloud and as a picture."""
    path = folder.file("lvis-annotations.json", "lvis_annotations.json", source=LVIS)
    content = read_json(path, DOWNLOAD_AGAIN, finite=False)
    with reading(path, DOWNLOAD_AGAIN):
        uids = [str(uid) for own in content.values() for uid in own]
    account = Account(rows=len(uids))
    entries = [DataItem(uid, uid, (uid,)) for uid in dict.fromkeys(uids)]
    return Pairs({"points": entries, "image": entries}, account)


def _shapes(
    found: Sequence[tuple[str, str]], classes: Sequence[str], templates: list[str], account: Account
) -> Labelled:
    """Shapes by name and class; folders write ``night_stand`` where the list of classes has ``night stand``."""
    number = {_class_name(name): place for place, name in enumerate(classes)}
    entries, labels = [], []
    for name, label in found:
        account.rows += 1
        place = number.get(_class_name(label))
        if place is None:
            account.leave_out("unknown class", f"{name}: {label}")
            continue
        entries.append(_file(name))
        labels.append((place,))
    return Labelled("points", entries, labels, [name.replace("_", " ") for name in classes], templates, account)


def _labels(folder: DataFolder, *keys: str) -> list[str]:
    for key in keys:
        found = _listed(folder, LABEL_FILES, key)
        if found:
            return found
    raise IsthmusError(f"{folder}: has no names of classes ({' or '.join(keys)}): get labels.json from {UNI3D}")


def _templates(folder: DataFolder) -> list[str]:
    found = _listed(folder, TEMPLATE_FILES, "modelnet40_64")
    if not found:
        raise IsthmusError(f"{folder}: has no prompts (modelnet40_64): get templates.json from {ULIP}")
    return found


def _listed(folder: DataFolder, files: Sequence[str], key: str) -> list[str] | None:
    """The list of that name in the first of these files that has it."""
    for name in files:
        path = folder.find(name)
        if path is not None:
            try:
                return read_names(path, key)
            except IsthmusError:
                continue
    return None


def _point_files(folder: DataFolder) -> list[Path]:
    return [path for path in folder.files if path.suffix.lower() in POINTS]


def _class_name(name: str) -> str:
    return plain_name(name).replace("_", " ").lower()


def _file(name: str) -> DataItem:
    stem = name.rpartition(".")[0] if Path(name).suffix.lower() in (".wav", ".jpeg", ".jpg", ".npy") else name
    return DataItem(name, name, (stem or name,))
