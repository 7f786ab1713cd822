"""The folders that the pages on the papers start from: data sets with a handful of media files, and tiny checkpoints.

``python data_set_folders.py FOLDER`` writes both below the folder and runs the pages there, in one process, because
importing the encoders takes longer than most commands.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

import doc_pages
import media_files
import tiny_checkpoints
from benchmark_layouts import CLIPS, LAYOUTS, Media, table, written
from isthmus.spaces.registry import families

TASKS = {
    "audiocaps": "audiocaps",
    "clotho": "clotho",
    "ave": "ave-retrieval",
    "flickr-soundnet": "ex-flickrnet",
    "vggss": "ex-vggss",
    "coco": "coco",
    "msrvtt": "msrvtt",
    "music": "music-solo-localisation",
    "modelnet40": "modelnet40",
    "objaverse-lvis": "objaverse-lvis-retrieval",
}
"""Folders of the page, and the task whose layout each has."""
MEMORY = 12
STREAMS = 24
"""Clips of a data set with seconds: enough for some in each split."""


def write_cmcr_folder(folder: Path, hub: Path) -> None:
    """Write what the page on C-MCR has before its first command; checkpoints of the hub go to the cache ``hub``."""
    for name, task in TASKS.items():
        write_media(folder / name, LAYOUTS[task](folder / name))
    write_captions(folder)
    write_memories(folder)
    for name in ("clip", "xclip"):
        family = families()[name]
        write = getattr(tiny_checkpoints, f"write_{name}")
        tiny_checkpoints.in_hub_cache(hub, family.checkpoint, family.revision, write)
    tiny_checkpoints.in_hub_cache(hub, "hustvl/yolos-tiny", "main-of-today", tiny_checkpoints.write_yolos)
    tiny_checkpoints.write_clap_fusion(folder / "630k-fusion-best")
    tiny_checkpoints.write_ulip(folder / "pointbert_ULIP-2.pt")


def write_cmcm_folder(folder: Path, hub: Path) -> None:
    """Write what the page on CMCM has before its first command, after `write_cmcr_folder` for the same ``hub``."""
    family = families()["clap"]
    tiny_checkpoints.in_hub_cache(hub, family.checkpoint, family.revision, tiny_checkpoints.write_clap)
    both = ("dog", "rain")
    pretrained = [f"{both[n % 2]},{video(n)},{('train', 'train', 'val')[n % 3]}" for n in range(STREAMS)]
    lists = {name: table("category,video_id,split", *pretrained) for name in ("40k__csv", "90k-new__csv")}
    written(folder / "vggsound", **{f"vggsound-avel{name}": own for name, own in lists.items()})
    written(folder / "vggsound", VggsoundAVEL40kCategories__txt=table(*both))
    _write_ave_and_avvp(folder)
    written(folder / "ucf", UCF101sameVGGSound__txt=table("Dog", "Rain"), VGGSoundsameUCF101__txt=table(*both))
    seen = [f"{('Dog', 'Rain')[n % 2]},v_{n:03d}_g01" for n in range(STREAMS)]
    written(folder / "ucf", ucf2vggsound__csv=table("category,video_id", *seen))
    heard = [f"{both[n % 2]},{video(n)},{('train', 'val', 'test')[n % 3]}" for n in range(STREAMS)]
    written(folder / "ucf", vggsound2ucf__csv=table("category,video_id,split", *heard))
    names = {"vggsound": video, "ave": video, "avvp": lambda n: f"{video(n)}_0_10", "ucf": lambda n: f"v_{n:03d}_g01"}
    for name, of in names.items():
        frames = [f"frames/{of(n)}/{frame:02d}.jpg" for n in range(STREAMS) for frame in (1, 2)]
        sounds = [f"audio/{of(n)}.wav" for n in range(STREAMS)] if name != "ucf" else []
        write_media(folder / name, {"image": frames, "audio": sounds})


def _write_ave_and_avvp(folder: Path) -> None:
    """Annotations of AVE, of AVVP, and of the classes that they share."""
    ave = [f"{('Bark', 'Bus')[n % 2]}&{video(n)}&good&0&10" for n in range(STREAMS)]
    for name in ("ave", "ave-avvp"):
        written(folder / name, Annotations__txt=table("Category&VideoID&Quality&StartTime&EndTime", *ave))
    parsed = [f"{video(n)}_0_10\t0\t10\t{('Dog', 'Bus')[n % 2]}" for n in range(STREAMS)]
    for name, start in (("avvp", "AVVP"), ("ave-avvp", "AVE_AVVP")):
        written(folder / name, **{f"{start}_Categories__txt": table("Dog", "Bus")})
        for side in ("visual", "audio"):
            rows = table("filename\tonset\toffset\tevent_labels", *parsed)
            written(folder / name, **{f"{start}_eval_{side}_checked_combined__csv": rows})


def video(number: int) -> str:
    return f"clip{number:07d}"


def write_media(folder: Path, media: Media) -> None:
    """Write every file of a layout once, in the format of its suffix."""
    for number, name in enumerate(dict.fromkeys(own for names in media.values() for own in names)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        WRITERS[path.suffix.lower()](path, number)


def write_captions(folder: Path) -> None:
    """The training captions of the six corpora, in the files that each publishes; one is empty, one is doubled."""
    captions = {name: [f"{name} shows {number} things" for number in range(10)] for name in ("coco", "vtt", "mad")}
    rows = [{"image_id": 0, "caption": text} for text in captions["coco"]]
    written(folder / "coco" / "annotations", captions_train2017__json={"annotations": rows})
    sentences = [{"video_id": "video0", "caption": text} for text in [*captions["vtt"], "", captions["vtt"][0]]]
    written(folder / "msrvtt", train_val_videodatainfo__json={"sentences": sentences})
    written(folder / "mad", MAD_train__json={str(n): {"sentence": text} for n, text in enumerate(captions["mad"])})
    cc3m = [f"a photo of {number} dogs\thttps://example.org/{number}.jpg" for number in range(10)]
    written(folder / "cc3m", **{"Train_GCC-training__tsv": table(*cc3m)})
    written(folder / "audiocaps", train__csv=table("file_name,caption", *(f"Y{own}.wav,an {own}" for own in CLIPS)))
    clotho = [f"{own}.wav,rain {own},wind {own}" for own in CLIPS]
    written(folder / "clotho", clotho_captions_development__csv=table("file_name,caption_1,caption_2", *clotho))


def write_memories(folder: Path) -> None:
    """Images, audio clips, point clouds and videos that are paired with nothing, and ULIP-2's vectors of the images."""
    images = [f"n{number % 3:08d}/n{number % 3:08d}_{number}.JPEG" for number in range(MEMORY)]
    write_media(folder / "imagenet" / "train", {"image": images})
    write_media(folder / "audioset" / "train", {"audio": [f"Y{number:011d}.wav" for number in range(MEMORY)]})
    write_media(folder / "objaverse" / "points", {"points": [f"{number}.npy" for number in range(10)]})
    write_media(folder / "msrvtt" / "train", {"video": [f"video{number}.mp4" for number in range(10)]})
    rows = np.random.default_rng(0).standard_normal((MEMORY, 512)).astype(np.float32)
    np.save(folder / "ulip_images.npy", rows)
    (folder / "ulip_images.txt").write_text("\n".join(images) + "\n")


def write_archive(path: Path, number: int) -> None:
    np.savez(path, points=np.random.default_rng(number).standard_normal((600, 3)).astype(np.float32))


def write_mesh(path: Path, number: int) -> None:
    """A tetrahedron, each one stretched otherwise."""
    corners = f"0 0 0\n{number + 1} 0 0\n0 1 0\n0 0 1\n"
    path.write_text(f"OFF\n4 4 0\n{corners}3 0 1 2\n3 0 1 3\n3 0 2 3\n3 1 2 3\n")


def write_noise(path: Path, number: int) -> None:
    """A second of moving noise, with tones: unlike those of `media_files`, no two are alike."""
    draw = np.random.default_rng(number)
    with av.open(str(path), "w") as container:
        images, audio = container.add_stream("libx264", rate=8), container.add_stream("aac", rate=8000)
        images.width = images.height = 64
        for _ in range(8):
            pixels = draw.integers(0, 255, (64, 64, 3), dtype=np.uint8)
            container.mux(images.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        tones = media_files.tones(1.024, 8000, number)[None]
        for start in range(0, tones.shape[1], 1024):
            part = np.ascontiguousarray(tones[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 8000, start, Fraction(1, 8000)
            container.mux(audio.encode(frame))
        container.mux([*images.encode(), *audio.encode()])


def _image(path: Path, number: int) -> None:
    media_files.write_image(path, number)


def _audio(path: Path, number: int) -> None:
    media_files.write_audio(path, 1.0, seed=number)


WRITERS: dict[str, Callable[[Path, int], object]] = {
    ".jpg": _image,
    ".jpeg": _image,
    ".png": _image,
    ".wav": _audio,
    ".flac": _audio,
    ".mp4": write_noise,
    ".npy": lambda path, number: media_files.write_cloud(path, seed=number),
    ".npz": write_archive,
    ".off": write_mesh,
}
"""What writes a media file, by suffix."""

PAGES = {"cmcr": write_cmcr_folder, "cmcm": write_cmcm_folder}
OTHER_SIZES = re.compile(r"^isthmus .*-(24|90)k.*\n", re.MULTILINE)
"""Commands for two of the three sizes that codes are pretrained on; they differ in a number from those for 40K."""


def run_pages(root: Path, hub: Path) -> None:
    """Write both folders below ``root``, and run the page of each in it."""
    from isthmus.spaces.pointbert import tower

    tower.GROUPS = 16  # of 512, which would take half of the time
    for name, write in PAGES.items():
        folder = root / name
        write(folder, hub)
        page = (doc_pages.DOCS / "reproduce" / f"{name}.md").read_text(encoding="utf-8")
        (folder / f"{name}.md").write_text(OTHER_SIZES.sub("", page), encoding="utf-8")
        os.chdir(folder)
        doc_pages.run_page(folder / f"{name}.md")
        print(end=doc_pages.END_OF_PAGE)


if __name__ == "__main__":
    run_pages(Path(sys.argv[1]), Path(os.environ["HF_HOME"]))
