"""One small artifact of every kind that isthmus reads, and a digest of everything read from it."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import soundfile
import torch
from PIL import Image
from torch import nn

import three_spaces
from isthmus import (
    CodeModel,
    CodesConfig,
    Connector,
    Embeddings,
    Index,
    IsthmusError,
    SpaceGraph,
    Tokens,
    assign_codes,
    connect,
    connect_graph,
    convert,
    open_set,
)
from isthmus.bulk.records import Failure, read_failures, write_failures
from isthmus.codes.model.view import View
from isthmus.codes.reading.assignment import Assignment
from isthmus.demo.stages import Stages
from isthmus.embeddings import inspect_set, open_tokens
from isthmus.embeddings.token_files import save_tokens
from isthmus.evaluate.results import TaskResult, read_result, write_result
from isthmus.evaluate.zero_shot import read_names
from isthmus.media import list_media
from isthmus.media.readers.audio import read_audio
from isthmus.media.readers.image import read_image
from isthmus.media.readers.points import read_points
from isthmus.training.checkpoint import Checkpoint
from isthmus.worlds.digits.recordings.handwriting_files import load_handwriting
from isthmus.worlds.digits.recordings.speech_files import load_speech

BRIEF = {"epochs": 1, "min_steps": 2}
TOKEN_KIND: dict[str, Any] = {"modality": "audio", "space": "clap", "unit": "seconds"}


@dataclass(frozen=True)
class Kind:
    """A kind of artifact.

    ``build`` writes one into a folder, the same for the same seed; ``answer`` reads it again and gives what it was
    asked for. A ``sealed`` kind has hashes, so that no mutation may change an answer; others have none: a list of
    texts with another text is another list.
    """

    name: str
    build: Callable[[Path, int], object]
    answer: Callable[[Path], object]
    sealed: bool = True


def digest(answer: object) -> str:
    """A hash of arrays, numbers, texts, and lists and mappings of them."""
    found = hashlib.sha256()

    def add(value: object) -> None:
        if isinstance(value, torch.Tensor):
            value = value.detach().numpy()
        if isinstance(value, np.ndarray):
            found.update(f"{value.dtype} {value.shape}".encode() + np.ascontiguousarray(value).tobytes())
        elif isinstance(value, dict):
            add(list(value.items()))
        elif isinstance(value, list | tuple):
            found.update(b"(")
            for one in value:
                add(one)
            found.update(b")")
        else:
            found.update(repr(value).encode("utf-8", "surrogatepass"))

    add(answer)
    return found.hexdigest()


@cache
def _three(seed: int) -> three_spaces.ThreeSpaces:
    return three_spaces.draw(seed, rows=60, gallery=20)


def _tokens(seed: int) -> Tokens:
    draw = np.random.default_rng(seed)
    offsets = np.array([0, 2, 5, 6, 9])
    places = np.cumsum(np.ones((9, 2), np.float32), 0)
    rows = draw.standard_normal((9, 6)).astype(np.float32)
    return Tokens.from_arrays(rows, offsets, places, ids=["a", "b", "c", "d"], **TOKEN_KIND)


def _set(folder: Path, seed: int) -> None:
    for one in _three(seed).sets[0].values():
        one.save(folder, shard_rows=40)


def _answers_of_set(folder: Path) -> object:
    found = open_set(folder)
    answers = {name: (one.space, one.ids, np.asarray(one.vectors)) for name, one in found.items()}
    (image,) = [one for name, one in found.items() if name == "image"] or [next(iter(found.values()))]
    hits = Index(image).search(image.take(np.arange(5)), 3)
    inspect_set(folder, verify=True)
    return answers, hits.ids.tolist(), hits.scores


def _answers_of_tokens(folder: Path) -> object:
    found = open_tokens(folder, "audio", ids=["b", "d"])
    whole = open_tokens(folder)
    _three_audio = open_set(folder)
    inspect_set(folder, verify=True)
    return [
        [one.ids, one.space, one.unit, np.asarray(one.vectors), np.asarray(one.offsets), np.asarray(one.places)]
        for one in (found, whole)
    ]


def _tokens_set(folder: Path, seed: int) -> None:
    rows = np.random.default_rng(seed).standard_normal((4, 6)).astype(np.float32)
    Embeddings.from_array(rows, modality="audio", space="clap", ids=["a", "b", "c", "d"]).save(folder)
    save_tokens(_tokens(seed), folder, shard_items=3)


def _clip_retrieval(folder: Path, seed: int) -> None:
    draw = np.random.default_rng(seed)
    (folder / "img_emb").mkdir(parents=True)
    (folder / "metadata").mkdir()
    for number in range(2):
        np.save(folder / "img_emb" / f"img_emb_{number}.npy", draw.standard_normal((6, 4)).astype(np.float16))
        table = pyarrow.table({"image_path": [f"{number}/{row}.jpg" for row in range(6)], "caption": list("abcdef")})
        pyarrow.parquet.write_table(table, folder / "metadata" / f"metadata_{number}.parquet")


def _answers_of_clip_retrieval(folder: Path) -> object:
    return {name: (one.ids, np.asarray(one.vectors)) for name, one in open_set(folder, space="clip").items()}


def _connector(method: str, **options: Any) -> Callable[[Path, int], object]:
    def build(folder: Path, seed: int) -> object:
        left, right = _three(seed).sets[:2]
        return connect(left, right, overlap="text", method=method, seed=seed, **options).save(folder)

    return build


def _answers_of_connector(folder: Path) -> object:
    found = Connector.load(folder)
    left, right = _three(0).sets[:2]
    projected = [found.project(one) for side in (left, right) for one in side.values()]
    return found.space, str(found.report), [(one.space, one.vectors) for one in projected]


def _graph(folder: Path, seed: int) -> object:
    return connect_graph(_three(seed).sets, method="cca", seed=seed).save(folder)


def _star(folder: Path, seed: int) -> object:
    return connect_graph(_three(seed).sets, method="exmcr", device="cpu", optimisation=BRIEF).save(folder)


def _answers_of_graph(folder: Path) -> object:
    found = SpaceGraph.load(folder)
    projected = [found.project(one) for side in _three(0).sets for one in side.values()]
    return found.space, [(one.space, one.vectors) for one in projected]


def _codes(folder: Path, seed: int) -> object:
    torch.manual_seed(seed)
    views = {"audio": View("audio", "clap", dim=6, pooled_dim=6)}
    return CodeModel(views, CodesConfig(codes=5, code_dim=4), facts={"health": ["fine"], "sources": ["a"]}).save(folder)


def _answers_of_codes(folder: Path) -> object:
    model = CodeModel.load(folder)
    tokens = _tokens(0)
    return model.assign(tokens), model.item_codes(tokens), model.token_vectors(tokens), list(model.facts["health"])


def _assignment(folder: Path, seed: int) -> object:
    torch.manual_seed(seed)
    model = CodeModel({"audio": View("audio", "clap", 6, 6)}, CodesConfig(codes=5, code_dim=4))
    return assign_codes(model, _tokens(seed)).save(folder)


def _answers_of_assignment(folder: Path) -> object:
    found = Assignment.load(folder)
    return [found.ids, found.size, found.modality, *(found.runs(item) for item in found.ids)]


def _run(seed: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(5, 4)).square().sum().backward()
    optimizer.step()
    return model, optimizer


def _checkpoint(folder: Path, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Checkpoint(folder / "training.checkpoint", "run").save(seed + 7, *_run(seed))


def _answers_of_checkpoint(folder: Path) -> object:
    model, optimizer = _run(5)
    step = Checkpoint(folder / "training.checkpoint", "run").restore(model, optimizer)
    if step == 0:
        raise IsthmusError("training.checkpoint is absent, so a new run starts")
    return step, dict(model.state_dict()), str(optimizer.state_dict())


def _official(folder: Path, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draw = torch.Generator().manual_seed(seed)
    state: dict[str, torch.Tensor] = {}
    for name, outputs, inputs in (("Head_A.net", 6, 5), ("Head_B.net", 6, 4)):
        state |= {
            f"{name}.0.weight": torch.randn(outputs, inputs, generator=draw),
            f"{name}.0.bias": torch.randn(outputs, generator=draw),
            f"{name}.1.weight": torch.rand(outputs, generator=draw),
            f"{name}.1.bias": torch.randn(outputs, generator=draw),
            f"{name}.1.running_mean": torch.randn(outputs, generator=draw),
            f"{name}.1.running_var": torch.rand(outputs, generator=draw) + 0.2,
            f"{name}.1.num_batches_tracked": torch.tensor(7),
        }
    torch.save(state, folder / "ulip_clip.pt")


def _answers_of_official(folder: Path) -> object:
    found = Connector.load(folder / "ulip_clip.pt")
    images = Embeddings.from_array(np.ones((2, 5), np.float32), modality="image", space="clip")
    points = Embeddings.from_array(np.ones((2, 4), np.float32), modality="points", space="ulip")
    return [found.project(one).vectors for one in (images, points)]


def _outcome(folder: Path, seed: int) -> None:
    stages = Stages(folder, "world")
    stages.run("cca", {"seed": 0}, lambda home: {"galleries": {"seen.r1": 50.0 + seed}, "steps": [1, 2]})


def _answers_of_outcome(folder: Path) -> object:
    outcome = Stages(folder, "world").run("cca", {"seed": 0}, lambda home: {"galleries": {}, "again": True})
    return "computed again" if "again" in outcome else {name: outcome[name] for name in sorted(outcome)}


def _result(folder: Path, seed: int) -> None:
    scores = {"test": [{"hf_subset": "default", "languages": ["eng-Latn"], "main_score": 0.5 + seed / 10}]}
    write_result(folder, "m", "r", TaskResult("T", "data", "0.1", scores, 1.5))


def _labels(folder: Path, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "labels.json").write_text(json.dumps({"pets": ["cat", "dog"], "cars": [f"car {seed}"]}))


def _failures(folder: Path, seed: int) -> None:
    write_failures(folder, "image", [Failure("a.png", "image", "/x/a.png", "cut", f"{seed}:1", 0)])


def _text(name: str, content: str) -> Callable[[Path, int], None]:
    def build(folder: Path, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content.replace("dog", f"dog {seed}"), encoding="utf-8")

    return build


def _texts_at(name: str) -> Callable[[Path], object]:
    return lambda folder: [(item.id, item.text) for item in list_media(folder / name, "text")]


def _text_parquet(folder: Path, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(
        pyarrow.table({"id": ["1", "2"], "text": ["a dog", f"cat {seed}"]}), folder / "t.parquet"
    )


def _tar(folder: Path, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("a.txt", "a dog"), ("b.txt", f"cat {seed}")):
        (folder / name).write_text(content)
    with tarfile.open(folder / "t.tar", "w") as archive:
        for name in ("a.txt", "b.txt"):
            archive.add(folder / name, name)
            (folder / name).unlink()


def _vectors(folder: Path, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows = np.random.default_rng(seed).standard_normal((4, 3)).astype(np.float32)
    np.save(folder / "v.npy", rows)
    (folder / "ids.txt").write_text("a\nb\nc\nd\n")
    pyarrow.parquet.write_table(pyarrow.table({"id": list("abcd"), "embedding": list(rows)}), folder / "v.parquet")


def _converted(folder: Path, name: str, **options: Any) -> object:
    out = folder / "out"
    convert(folder / name, out, modality="image", space="clip", **options)
    found = Embeddings.open(out)
    return found.ids, np.asarray(found.vectors)


def _media(folder: Path, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    Image.fromarray(draw.integers(0, 255, (8, 9, 3), dtype=np.uint8)).save(folder / "i.png")
    Image.fromarray(draw.integers(0, 255, (8, 9, 3), dtype=np.uint8)).save(folder / "j.jpg")
    for name in ("s.wav", "t.flac", "u.ogg"):
        soundfile.write(folder / name, 0.1 * draw.standard_normal(800), 8000)
    cloud = draw.standard_normal((20, 3)).astype(np.float32)
    np.save(folder / "p.npy", cloud)
    np.savez(folder / "q.npz", points=cloud)
    faces = "".join(f"f {n} {n + 1} {n + 2}\n" for n in range(1, 18))
    (folder / "m.obj").write_text("".join(f"v {x} {y} {z}\n" for x, y, z in cloud) + faces)
    (folder / "list.txt").write_text("i.png\nj.jpg\n")


def _medium(name: str) -> Callable[[Path], object]:
    def answer(folder: Path) -> object:
        file = folder / name
        match file.suffix:
            case ".png" | ".jpg":
                return np.asarray(read_image(file))
            case ".wav" | ".flac" | ".ogg":
                return str(read_audio(file, 8000))
            case ".txt":
                return [item.id for item in list_media(file, "image")]
        return read_points(file, 10)

    return answer


def _digits(folder: Path, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    images, labels = draw.integers(0, 255, (5, 28, 28), dtype=np.uint8), np.arange(5)
    np.savez_compressed(folder / "d.npz", images=images, labels=labels)
    audio = (3000 * draw.standard_normal(4000)).astype(np.int16)
    np.savez_compressed(
        folder / "s.npz", audio=audio, offset=[0, 2000, 4000], digit=[1, 2], speaker=["a", "b"], sr=8000
    )


def _images_of_digits(folder: Path) -> object:
    found = load_handwriting(folder / "d.npz")
    return found.tiles, found.digit


def _sounds_of_digits(folder: Path) -> object:
    found = load_speech(folder / "s.npz")
    return found.samples, found.offset, found.digit, found.speaker


def only(names: Iterable[str], build: Callable[[Path, int], object]) -> Callable[[Path, int], object]:
    """An artifact without its other files."""

    def built(folder: Path, seed: int) -> None:
        build(folder, seed)
        for file in folder.iterdir():
            if file.name not in names:
                file.unlink()

    return built


MEDIA = ("i.png", "j.jpg", "s.wav", "t.flac", "u.ogg", "p.npy", "q.npz", "m.obj", "list.txt")
CSV = 'id,caption\n1,"a dog, barking"\n2,a cat\n3,rain\n'
TSV = CSV.replace("dog, ", "dog ").replace(",", "\t")
KINDS = [
    Kind("embedding set", _set, _answers_of_set),
    Kind("tokens", _tokens_set, _answers_of_tokens),
    Kind("connector, closed form", _connector("cca"), _answers_of_connector),
    Kind("connector, trained", _connector("cmcr", device="cpu", optimisation=BRIEF), _answers_of_connector),
    Kind("graph, joint", _graph, _answers_of_graph),
    Kind("graph, star", _star, _answers_of_graph),
    Kind("code model", _codes, _answers_of_codes),
    Kind("assignment", _assignment, _answers_of_assignment),
    Kind("training checkpoint", _checkpoint, _answers_of_checkpoint),
    Kind("outcome of the demo", _outcome, _answers_of_outcome),
    Kind("clip-retrieval folder", _clip_retrieval, _answers_of_clip_retrieval, sealed=False),
    Kind("official checkpoint", _official, _answers_of_official, sealed=False),
    Kind("failures of embed", _failures, lambda folder: read_failures(folder), sealed=False),
    Kind("result file", _result, lambda folder: read_result(folder / "m" / "r" / "T.json"), sealed=False),
    Kind("labels", _labels, lambda folder: read_names(folder / "labels.json", "pets"), sealed=False),
    Kind("texts, csv", _text("t.csv", CSV), _texts_at("t.csv"), sealed=False),
    Kind("texts, tsv", _text("t.tsv", TSV), _texts_at("t.tsv"), sealed=False),
    Kind("texts, txt", _text("t.txt", "a dog\na cat\n"), _texts_at("t.txt"), sealed=False),
    Kind(
        "texts, jsonl",
        _text("t.jsonl", '{"id": 1, "text": "a dog"}\n{"id": 2, "text": "a cat", "score": 0.5}\n'),
        _texts_at("t.jsonl"),
        sealed=False,
    ),
    Kind("texts, parquet", _text_parquet, _texts_at("t.parquet"), sealed=False),
    Kind("texts, tar", _tar, _texts_at("t.tar"), sealed=False),
    Kind(
        "vectors, npy",
        only(("v.npy", "ids.txt"), _vectors),
        lambda folder: _converted(folder, "v.npy", ids=folder / "ids.txt"),
        sealed=False,
    ),
    Kind(
        "vectors, parquet", only(("v.parquet",), _vectors), lambda folder: _converted(folder, "v.parquet"), sealed=False
    ),
    *(Kind(f"media, {name}", only((name,), _media), _medium(name), sealed=False) for name in MEDIA),
    Kind("digits, images", only(("d.npz",), _digits), _images_of_digits, sealed=False),
    Kind("digits, sounds", only(("s.npz",), _digits), _sounds_of_digits, sealed=False),
]
