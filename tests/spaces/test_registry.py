"""Names of spaces: families, checkpoints, families of other packages, and errors if something is missing."""

import argparse
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import tiny_checkpoints
from isthmus import Connector
from isthmus.base.errors import IsthmusError
from isthmus.cli import main
from isthmus.spaces import load_space, registry
from isthmus.spaces.registry import families, parse

SAVED = Path(__file__).parents[1] / "saved_by_0_1"


def test_the_spaces_command_describes_each_family(capsys: pytest.CaptureFixture[str]) -> None:
    main(["spaces"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert any("clap-music" in line and "audio" in line and "512" in line and "installed" in line for line in lines)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """Installs a package of one module that adds a space through an entry point."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(registry, "_warned", set())

    def package(name: str, module: str, code: str, value: str = "SPACE") -> None:
        facts = tmp_path / f"{name}-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(f"[isthmus.spaces]\n{name} = {module}:{value}\n")
        (tmp_path / f"{module}.py").write_text(
            f"from dataclasses import replace\nfrom isthmus.spaces.families import CLIP, PRECOMPUTED\n{code}\n"
        )
        monkeypatch.delitem(sys.modules, module, raising=False)

    return package


def test_an_installed_package_adds_a_family(install: Callable[..., None]) -> None:
    install(
        "mine",
        "my_space",
        "SPACE = replace(PRECOMPUTED, name='mine', needs=('absent_library', 'absent.part'), extra='mine[all]')",
    )
    assert families()["mine"].title == families()["precomputed"].title
    with pytest.raises(IsthmusError, match=r"needs absent_library, absent.part: pip install 'mine\[all\]'"):
        load_space("mine:x")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (
            "raise RuntimeError('no GPU')",
            r"'broken' \(broken_space:SPACE\) cannot be imported \(RuntimeError: no GPU\)",
        ),
        ("raise SystemExit(3)", "cannot be imported"),
        ("OTHER = 1", "cannot be imported"),
        ("SPACE = 'clip'", "is a str, not an isthmus.spaces.Family"),
        ("SPACE = replace(PRECOMPUTED); object.__setattr__(SPACE, 'name', 3)", "has a name of the wrong type, 3"),
        ("SPACE = replace(PRECOMPUTED); object.__setattr__(SPACE, 'needs', 'av')", "has a needs of the wrong type"),
        ("SPACE = replace(PRECOMPUTED); object.__setattr__(SPACE, 'kind', 3)", "has a kind of the wrong type, 3"),
        ("SPACE = replace(PRECOMPUTED, name='a:b')", "has the name 'a:b', which cannot be given"),
        ("SPACE = replace(CLIP, dim=7)", "has the name of another space, 'clip'"),
    ],
)
def test_a_broken_package_is_named_once_and_left_out(
    install: Callable[..., None], code: str, says: str, tmp_path: Path
) -> None:
    install("broken", "broken_space", code)
    with pytest.warns(UserWarning, match=says) as warned:
        found = families()
    assert len(warned) == 1
    assert sorted(found) == sorted(families())
    assert len(found) == 9
    assert found["clip"].dim == 512
    assert load_space("precomputed:mine").name == "mine"
    Connector.load(SAVED / "connector-cca").save(tmp_path / "saved")
    assert "licence" in (tmp_path / "saved" / "README.md").read_text().lower()
    if "another space" not in says:
        with pytest.raises(IsthmusError, match=says):
            load_space("broken:x")


def test_a_loader_that_is_not_there_is_named(install: Callable[..., None]) -> None:
    install("mine", "my_space", "SPACE = replace(PRECOMPUTED, name='mine', loader='my_space:nothing')")
    with pytest.raises(IsthmusError, match=r"space 'mine' cannot be loaded: my_space:nothing cannot be imported"):
        load_space("mine:x")


def test_checkpoint_and_revision_are_parts_of_the_name() -> None:
    assert parse("clip")[1:] == ("openai/clip-vit-base-patch32", "3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268")
    assert parse("clip:me/mine")[1:] == ("me/mine", "")
    assert parse("clip:me/mine@abc")[1:] == ("me/mine", "abc")


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("clop", "unknown space 'clop': choose one of clap"),
        ("clip:./not/there", "not found: give the folder of a checkpoint"),
        ("ulip", "has no default checkpoint: give ulip:PATH"),
        ("ulip:/no/such.pt", "not found: give the path of the .pt file"),
    ],
)
def test_what_is_missing_is_named(spec: str, says: str) -> None:
    with pytest.raises(IsthmusError, match=says):
        load_space(spec)


def test_a_folder_of_another_family_is_refused(checkpoints: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(IsthmusError, match="is a checkpoint of clap, not of clip"):
        load_space(f"clip:{checkpoints('clap')}")
    with pytest.raises(IsthmusError, match="is a checkpoint of clip, not of siglip or siglip2"):
        load_space(f"siglip2:{checkpoints('clip')}")
    with pytest.raises(IsthmusError, match="cannot be loaded"):
        load_space(f"clip:{tmp_path}")


def test_a_checkpoint_without_its_tokenizer_is_refused(checkpoints: Callable[[str], Path], tmp_path: Path) -> None:
    bare = shutil.copytree(checkpoints("clip"), tmp_path / "bare")
    for file in bare.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(IsthmusError, match=r"tokenizer|cannot be loaded"):
        load_space(f"clip:{bare}", device="cpu").preparation("text").fingerprint  # noqa: B018


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
@pytest.mark.parametrize("device", ["cuda", "toaster"])
def test_a_device_that_is_not_there_is_refused(checkpoints: Callable[[str], Path], device: str) -> None:
    with pytest.raises(IsthmusError, match=f"device '{device}'"):
        load_space(f"clip:{checkpoints('clip')}", device=device)


def test_versions_are_part_of_a_spaces_name(checkpoints: Callable[[str], Path], tmp_path: Path) -> None:
    named = shutil.copytree(checkpoints("clip"), tmp_path / "mine-v1.5")
    assert load_space(f"clip:{named}", device="cpu").name == "clip:mine-v1.5"


@pytest.mark.slow
def test_the_public_name_loads_offline_from_the_hubs_cache(tmp_path: Path) -> None:
    """What a user who has fetched CLIP once gets: the pinned commit, and a space called clip."""
    import subprocess

    family = families()["clip"]
    tiny_checkpoints.in_hub_cache(tmp_path, family.checkpoint, family.revision, tiny_checkpoints.write_clip)
    code = (
        "from isthmus.spaces import load_space; space = load_space('clip', device='cpu');"
        "print(space.name, space.revision, space.preparation('image').fingerprint)"
    )
    environment = {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"clip {family.revision} ")


def test_precomputed_vectors_are_read_one_a_file(tmp_path: Path) -> None:
    vector = np.arange(1, 6, dtype=np.float64)
    np.save(tmp_path / "a.npy", vector)
    space = load_space("precomputed:imagebind")
    assert space.name == "imagebind"
    found = space.encode([tmp_path / "a.npy"], modality="audio")
    np.testing.assert_allclose(found.vectors[0], vector / np.linalg.norm(vector), rtol=1e-6)
    np.save(tmp_path / "bad.npy", np.array([1.0, np.nan]))
    with pytest.raises(IsthmusError, match=r"bad\.npy"):
        space.encode([tmp_path / "bad.npy"], modality="audio")


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (print, ("code ran",))

    torch.save({"state_dict": Evil(), "args": argparse.Namespace(a=1)}, tmp_path / "evil.pt")
    with pytest.raises(IsthmusError, match="is damaged or has more than plain weights"):
        load_space(f"ulip:{tmp_path / 'evil.pt'}")
