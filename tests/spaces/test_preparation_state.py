"""What a checkpoint decides is the same before and after its use, and its own Python never runs."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import transformers

import isthmus
import media_files
from isthmus.base.errors import IsthmusError
from isthmus.bulk.embed import Summary
from isthmus.media.item import text_item
from isthmus.spaces import load_space

Checkpoints = Callable[[str], Path]
RAN = "import pathlib\npathlib.Path(__file__).with_name('ran').write_text('')\n"


@pytest.mark.parametrize("family", ["clip", "clap", "siglip2", "sentence"])
def test_use_does_not_change_a_fingerprint(checkpoints: Checkpoints, tmp_path: Path, family: str) -> None:
    space = load_space(f"{family}:{checkpoints(family)}", device="cpu")
    examples = {
        "text": "a dog " * 90,
        "image": media_files.write_image(tmp_path / "a.png"),
        "audio": media_files.write_audio(tmp_path / "a.wav", 1.0),
    }
    before = {modality: space.preparation(modality).fingerprint for modality in space.modalities}
    for modality in space.modalities:
        space.encode([examples[modality]], modality=modality)
    assert {modality: space.preparation(modality).fingerprint for modality in space.modalities} == before


def test_texts_embedded_twice_in_one_process_are_there_already(checkpoints: Checkpoints, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("a dog\na cat\n")

    def run() -> Summary:
        return isthmus.embed(tmp_path / "t.txt", tmp_path / "out", space=f"clip:{checkpoints('clip')}")

    assert run().embedded == 2
    again = run()
    assert (again.embedded, again.same) == (0, 2)


@pytest.mark.parametrize(("family", "limit"), [("clip", 77), ("clap", 64), ("siglip2", 16), ("sentence", 60)])
def test_a_text_is_cut_beyond_the_limit_and_not_at_it(checkpoints: Checkpoints, family: str, limit: int) -> None:
    whole = transformers.AutoTokenizer.from_pretrained(checkpoints(family))
    preparation = load_space(f"{family}:{checkpoints(family)}", device="cpu").preparation("text")
    lengths = {}
    for letters in range(1, limit + 2):
        text = " ".join("a" * letters)
        lengths[len(whole(text)["input_ids"])] = bool(preparation(text_item("x", text))["_cut"].any())
    assert lengths == {length: length > limit for length in lengths}
    assert set(lengths.values()) == {False, True}


@pytest.mark.parametrize(
    ("family", "file", "kind"),
    [
        ("clip", "config.json", "AutoConfig"),
        ("clip", "preprocessor_config.json", "AutoImageProcessor"),
        ("clip", "tokenizer_config.json", "AutoTokenizer"),
        ("clap", "preprocessor_config.json", "AutoFeatureExtractor"),
        ("siglip2", "config.json", "AutoModel"),
        ("sentence", "config.json", "AutoModel"),
    ],
)
def test_python_of_a_checkpoint_does_not_run_and_nobody_is_asked(
    checkpoints: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str, file: str, kind: str
) -> None:
    questions = []
    monkeypatch.setattr("builtins.input", lambda *asked: questions.append(asked) or "y")
    folder = tmp_path / family
    shutil.copytree(checkpoints(family), folder)
    (folder / "own.py").write_text(RAN)
    config = json.loads((folder / file).read_text())
    config["auto_map"] = {kind: ["own.Own", None] if kind == "AutoTokenizer" else "own.Own"}
    (folder / file).write_text(json.dumps(config))
    space = load_space(f"{family}:{folder}", device="cpu")
    assert all(space.preparation(modality).fingerprint for modality in space.modalities)
    if file == "config.json":
        config |= {"model_type": "unheard-of", "auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Own"}}
        (folder / file).write_text(json.dumps(config))
        with pytest.raises(IsthmusError, match="needs Python code of its own, which isthmus does not run"):
            load_space(f"{family}:{folder}", device="cpu")
    assert not questions


def test_a_module_of_a_sentence_checkpoint_is_not_imported(checkpoints: Checkpoints, tmp_path: Path) -> None:
    folder = tmp_path / "sentence"
    shutil.copytree(checkpoints("sentence"), folder)
    (folder / "own.py").write_text(RAN + "class Own: pass\n")
    modules = json.loads((folder / "modules.json").read_text())
    modules[-1]["type"] = "own.Own"
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(IsthmusError, match="needs Python code of its own, which isthmus does not run"):
        load_space(f"sentence:{folder}", device="cpu")
    assert not (folder / "ran").exists()
