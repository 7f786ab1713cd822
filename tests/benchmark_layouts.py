"""Every data set with five items: its annotation files, and the names that people's media files have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

CLIPS = [f"{letter * 11}" for letter in "abcde"]
Media = dict[str, list[str]]
"""Relative paths by modality."""


def written(folder: Path, **files: object) -> None:
    """Text as it is, anything else as JSON; ``__`` in a name stands for a dot."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name.replace("__", ".")).write_text(text)


def table(header: str, *rows: str) -> str:
    return "\n".join([header, *rows]) + "\n"


def ave(folder: Path) -> Media:
    rows = [
        f"{label}&{clip}&good&0&10" for clip, label in zip(CLIPS, ["Bark", "Bus", "Bark", "Bus", "Bark"], strict=True)
    ]
    written(folder, Annotations__txt=table("Category&VideoID&Quality&StartTime&EndTime", *rows))
    return {
        "image": [f"frames/{clip}/{n}.jpg" for clip in CLIPS for n in (1, 2, 3)],
        "audio": [f"AVE/{clip}.mp4" for clip in CLIPS],
    }


def flickr(folder: Path) -> Media:
    written(folder, flickr_test__csv="".join(f"{n},0\n" for n in range(5)))
    box = "<bbox><name>x</name><xmin>0</xmin><ymin>0</ymin><xmax>128</xmax><ymax>128</ymax></bbox>"
    for n in range(5):
        written(folder / "Annotations", **{f"{n}__xml": f"<a><b>{box}</b><b>{box}</b></a>"})
    negatives = [f"{n},{(n + 1) % 5},non-sounding" for n in range(5)]
    written(folder, flickr_test_plus_silent__csv=table("video,audio,label", *negatives))
    return {"image": [f"frames/{n}.jpg" for n in range(5)], "audio": [f"audio/{n}.wav" for n in range(5)]}


def vggss(folder: Path) -> Media:
    names = [f"{clip}_000030" for clip in CLIPS]
    written(folder, vggss__json=[{"file": name, "class": "dog", "bbox": [[0, 0, 0.5, 0.5]]} for name in names])
    negatives = [f"{name},{names[n - 1]},non-sounding" for n, name in enumerate(names)]
    written(folder, vggss_test_plus_silent__csv=table("video,audio,label", *negatives))
    return {"image": [f"frames/{name}.jpg" for name in names], "audio": [f"audio/{clip}_30.wav" for clip in CLIPS]}


def music(folder: Path) -> Media:
    names = [f"{clip}_000_00001" for clip in CLIPS]
    box = [0.25, 0.25, 0.5, 0.5]
    written(folder, music_solo__json=[{"file": name, "class": "cello", "bbox": box} for name in names])
    duet = {"class_src1": "cello", "bbox_src1": box, "class_src2": "flute", "bbox_src2": [0, 0, 0.2, 0.2]}
    written(folder, music_duet__json=[{"file": name, **duet} for name in names])
    return {"image": [f"f/{name}.png" for name in names], "audio": [f"a/{clip}_000.wav" for clip in CLIPS]}


def audiocaps(folder: Path) -> Media:
    rows = [f"Y{clip}.wav,a {clip},b {clip},c {clip},d {clip},e {clip}" for clip in CLIPS]
    written(folder, test__csv=table("file_name,caption_1,caption_2,caption_3,caption_4,caption_5", *rows))
    return {"audio": [f"wavs/{clip}.flac" for clip in CLIPS]}


def clotho(folder: Path) -> Media:
    rows = [f'"rain &amp; wind, {clip}.wav",a {clip},b {clip}' for clip in CLIPS]
    written(folder, clotho_captions_evaluation__csv=table("file_name,caption_1,caption_2", *rows))
    return {"audio": [f"evaluation/rain & wind, {clip}.wav" for clip in CLIPS]}


def coco(folder: Path) -> Media:
    images = [{"id": n, "file_name": f"{n:012d}.jpg"} for n in range(5)]
    captions = [{"image_id": n % 5, "caption": f"image {n}"} for n in range(10)]
    written(folder / "annotations", captions_val2017__json={"images": images, "annotations": captions})
    return {"image": [f"val2017/{n:012d}.jpg" for n in range(5)]}


def flickr30k(folder: Path) -> Media:
    images = [{"filename": f"{n}.jpg", "split": "test", "sentences": [{"raw": f"image {n}"}]} for n in range(5)]
    written(folder, dataset_flickr30k__json={"images": images})
    return {"image": [f"flickr30k-images/{n}.jpg" for n in range(5)]}


def msrvtt(folder: Path) -> Media:
    rows = [f"ret{n},msr{n},video{7000 + n},a caption" for n in range(5)]
    written(folder, MSRVTT_JSFUSION_test__csv=table("key,vid_key,video_id,sentence", *rows))
    videos = [f"videos/video{7000 + n}.mp4" for n in range(5)]
    return {"audio": videos, "video": videos}


def labels(folder: Path) -> None:
    names = {"modelnet40": ["night stand", "car"], "scanobjnn_openshape": ["bag", "bin"]}
    written(folder, labels__json={**names, "objaverse_lvis_openshape": ["Band_Aid", "Bible"]})
    written(folder, templates__json={"modelnet40_64": ["a {}.", "a model of a {}."]})


def modelnet40(folder: Path) -> Media:
    labels(folder)
    return {
        "points": [f"night_stand/test/night_stand_{n}.off" for n in range(3)]
        + [f"car/test/car_{n}.off" for n in range(2)]
    }


def scanobjectnn(folder: Path) -> Media:
    labels(folder)
    return {"points": [f"bag/{n}.npy" for n in range(3)] + [f"bin/{n}.npy" for n in range(3, 5)]}


def objaverse(folder: Path) -> Media:
    labels(folder)
    written(folder, **{"lvis-annotations__json": {"Band_Aid": CLIPS[:3], "Bible": CLIPS[3:]}})
    return {
        "points": [f"points/{uid}.npz" for uid in CLIPS],
        "image": [f"images/{uid}/{n:03d}.png" for uid in CLIPS for n in range(3)],
    }


def esc50(folder: Path) -> Media:
    rows = [f"1-{n}-A-{n % 2}.wav,1,{n % 2},class_{n % 2},False,{n},A" for n in range(5)]
    written(folder / "meta", esc50__csv=table("filename,fold,target,category,esc10,src_file,take", *rows))
    return {"audio": [f"audio/1-{n}-A-{n % 2}.wav" for n in range(5)]}


def audioset(folder: Path) -> Media:
    written(folder, class_labels_indices__csv=table("index,mid,display_name", '0,/m/0,"Dog, puppy"', "1,/m/1,Cat"))
    rows = [f'{clip}, 30.000, 40.000, "/m/{n % 2}{",/m/1" if n == 0 else ""}"' for n, clip in enumerate(CLIPS)]
    written(folder, eval_segments__csv=table("# YTID, start_seconds, end_seconds, positive_labels", *rows))
    return {"audio": [f"eval/Y{clip}.wav" for clip in CLIPS]}


def imagenet(folder: Path) -> Media:
    written(folder, LOC_synset_mapping__txt="n01 tench, Tinca tinca\nn02 goldfish\n")
    return {"image": [f"val/n0{1 + n % 2}/ILSVRC2012_val_{n:08d}.JPEG" for n in range(5)]}


LAYOUTS: dict[str, Callable[[Path], Media]] = {
    "ave-retrieval": ave,
    "flickr-soundnet-retrieval": flickr,
    "vggss-retrieval": vggss,
    "audiocaps": audiocaps,
    "clotho": clotho,
    "coco": coco,
    "flickr30k": flickr30k,
    "msrvtt": msrvtt,
    "vggss-localisation": vggss,
    "flickr-soundnet-localisation": flickr,
    "music-solo-localisation": music,
    "music-duet-localisation": music,
    "ex-vggss": vggss,
    "ex-flickrnet": flickr,
    "modelnet40": modelnet40,
    "scanobjectnn": scanobjectnn,
    "objaverse-lvis": objaverse,
    "objaverse-lvis-retrieval": objaverse,
    "esc50": esc50,
    "audioset": audioset,
    "imagenet": imagenet,
}
"""Every task but those of codes, which take token sets."""
