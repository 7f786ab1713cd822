"""The authors' checkpoints: read as they say, projected as their code does, written so that they read them."""

import errno
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import isthmus
from isthmus.base.errors import IsthmusError
from tiny_checkpoints import write_ulip
from two_sides import two_spaces


def rows(space: str, modality: str, count: int = 30, dim: int = 512) -> isthmus.Embeddings:
    draw = np.random.default_rng(sum(map(ord, space + modality)))
    return isthmus.Embeddings.from_array(
        draw.standard_normal((count, dim)).astype(np.float32), modality=modality, space=space
    )


def mlp_half(state: dict[str, np.ndarray], name: str, given: np.ndarray) -> np.ndarray:
    """Linear, then BatchNorm by its running statistics, in float64."""
    hidden = given @ state[f"{name}.0.weight"].T + state[f"{name}.0.bias"]
    scaled = (hidden - state[f"{name}.1.running_mean"]) / np.sqrt(state[f"{name}.1.running_var"] + 1e-5)
    return scaled * state[f"{name}.1.weight"] + state[f"{name}.1.bias"]


def unit(given: np.ndarray) -> np.ndarray:
    return given / np.linalg.norm(given, axis=1, keepdims=True)


def as_float64(state: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: value.double().numpy() for name, value in state.items()}


def random_state(shapes: dict[str, tuple[int, int]]) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    state: dict[str, torch.Tensor] = {}
    for name, (outputs, inputs) in shapes.items():
        state |= {
            f"{name}.0.weight": 0.05 * torch.randn(outputs, inputs, generator=draw),
            f"{name}.0.bias": 0.1 * torch.randn(outputs, generator=draw),
            f"{name}.1.weight": torch.rand(outputs, generator=draw) + 0.5,
            f"{name}.1.bias": torch.randn(outputs, generator=draw),
            f"{name}.1.running_mean": torch.randn(outputs, generator=draw),
            f"{name}.1.running_var": torch.rand(outputs, generator=draw) + 0.2,
            f"{name}.1.num_batches_tracked": torch.tensor(7),
        }
    return state


def test_the_released_file_is_a_connector_of_clip_and_ulip(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "cmcr_official" / "ulip_clip.pt"
    connector = isthmus.Connector.load(path)
    assert (connector.left_space, connector.right_space, connector.overlap) == ("clip", "ulip", "image")
    state = as_float64(torch.load(path, weights_only=True))
    for space, modality, head in (("clip", "image", "Head_A"), ("ulip", "points", "Head_B")):
        given = rows(space, modality)
        expected = unit(np.maximum(mlp_half(state, f"{head}.net", given.vectors.astype(np.float64)), 0))
        found = connector.project(given)
        np.testing.assert_allclose(found.vectors, expected, atol=1e-5)
        assert (found.vectors >= 0).all()
    connector.save(tmp_path / "ours")
    again = isthmus.Connector.load(tmp_path / "ours")
    assert again.space == connector.space
    assert np.array_equal(again.project(rows("ulip", "points")).vectors, found.vectors)


def test_their_clap_clip_file_has_clap_first(tmp_path: Path) -> None:
    shapes = {
        f"{head}.{part}": size
        for head in ("Head_A", "Head_B")
        for part, size in (("net1", (1024, 512)), ("net2", (512, 1024)))
    }
    state = random_state(shapes)
    torch.save(state, tmp_path / "clap_clip.pt")
    connector = isthmus.Connector.load(tmp_path / "clap_clip.pt")
    assert (connector.left_space, connector.right_space, connector.overlap) == ("clip", "clap", "text")
    given = rows("clap:630k-fusion-best", "audio")
    hidden = np.maximum(mlp_half(as_float64(state), "Head_A.net1", given.vectors.astype(np.float64)), 0)
    expected = unit(mlp_half(as_float64(state), "Head_A.net2", hidden))
    np.testing.assert_allclose(connector.project(given).vectors, expected, atol=1e-5)


def test_their_exmcr_file_keeps_clip_and_maps_the_leaf(tmp_path: Path) -> None:
    shapes = {
        f"Head2.{mlp}.{part}": size
        for mlp in ("mlp1", "mlp2")
        for part, size in (("net1", (1024, 512)), ("net2", (512, 1024)))
    }
    state = {**random_state(shapes), "Head1.weight": torch.eye(512) * 1.1, "Head1.bias": torch.full((512,), 0.01)}
    torch.save(state, tmp_path / "ex_ulip.pt")
    connector = isthmus.Connector.load(tmp_path / "ex_ulip.pt")
    pictures = rows("clip", "image")
    assert np.array_equal(connector.project(pictures).vectors, pictures.vectors)
    given, weights = rows("ulip", "points"), as_float64(state)
    hidden = given.vectors.astype(np.float64) @ weights["Head1.weight"].T + weights["Head1.bias"]
    for mlp in ("mlp1", "mlp2"):
        hidden = np.maximum(mlp_half(weights, f"Head2.{mlp}.net1", hidden), 0)
        hidden = mlp_half(weights, f"Head2.{mlp}.net2", hidden)
    np.testing.assert_allclose(connector.project(given).vectors, unit(hidden), atol=1e-5)
    (tmp_path / "ex_ulip.pt").rename(tmp_path / "leaf.pt")
    with pytest.raises(IsthmusError, match="must say its leaf"):
        isthmus.Connector.load(tmp_path / "leaf.pt")


def test_vectors_that_embed_writes_of_ulip_meet_the_released_file(shared_data: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "cube.npy", np.random.default_rng(0).random((64, 3)).astype(np.float32))
    weights = tmp_path / "pointbert_ULIP-2.pt"
    write_ulip(weights)
    isthmus.embed(tmp_path / "cube.npy", tmp_path / "set", space=f"ulip:{weights}", modality="points", workers=0)
    clouds = isthmus.Embeddings.open(tmp_path / "set", "points")
    assert clouds.space == "ulip:pointbert_ULIP-2"
    connector = isthmus.Connector.load(shared_data / "cmcr_official" / "ulip_clip.pt")
    named = clouds.with_vectors(clouds.vectors, space="ulip")
    assert np.array_equal(connector.project(clouds).vectors, connector.project(named).vectors)
    assert connector.project(clouds).origin == "ulip"


@pytest.mark.parametrize(
    ("file", "space", "trained_on"),
    [
        ("clap_clip.pt", "clap", "630k-fusion-best"),
        ("clap_clip.pt", "clap:clap-htsat-fused", "630k-fusion-best"),
        ("clap_clip.pt", "clap:630k-fusion-best", None),
        ("clap_clip.pt", "clip", None),
        ("clap_clip.pt", "clip:clip-vit-base-patch32", None),
        ("clap_clip.pt", "clip:clip-vit-base-patch16", "openai/clip-vit-base-patch32"),
        ("ulip_clip.pt", "ulip:ulip", "pointbert_ULIP-2.pt"),
        ("ulip_clip.pt", "ulip:pointbert_ULIP-2", None),
    ],
)
def test_vectors_of_another_checkpoint_than_the_authors_pass_with_a_warning(
    file: str, space: str, trained_on: str | None, tmp_path: Path
) -> None:
    parts = ("net1", "net2") if file == "clap_clip.pt" else ("net",)
    shapes = {f"{head}.{part}": (512, 512) for head in ("Head_A", "Head_B") for part in parts}
    torch.save(random_state(shapes), tmp_path / file)
    loaded = isthmus.Connector.load(tmp_path / file)
    for connector in (loaded, isthmus.Connector.load(loaded.save(tmp_path / "saved"))):
        given = rows(space, "text")
        family = given.with_vectors(given.vectors, space=space.partition(":")[0])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = connector.project(given)
        assert [trained_on in str(one.message) for one in caught] == ([] if trained_on is None else [True])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert np.array_equal(found.vectors, connector.project(family).vectors)


def test_a_star_of_two_released_files_takes_what_embed_writes(tmp_path: Path) -> None:
    parts = [f"Head2.{mlp}.{part}" for mlp in ("mlp1", "mlp2") for part in ("net1", "net2")]
    own = {"Head1.weight": torch.eye(512), "Head1.bias": torch.zeros(512)}
    for name in ("ex_clap", "ex_ulip"):
        torch.save({**random_state(dict.fromkeys(parts, (512, 512))), **own}, tmp_path / f"{name}.pt")
    legs = [isthmus.Connector.load(tmp_path / f"{name}.pt") for name in ("ex_clap", "ex_ulip")]
    star = isthmus.SpaceGraph("star", "clip", tuple(legs), {"clap": "clip", "ulip": "clip"})
    clouds = rows("ulip:pointbert_ULIP-2", "points")
    found = star.project(clouds)
    assert np.array_equal(found.vectors, legs[1].project(clouds).vectors)
    assert (found.space, found.origin) == (star.projected_space, "ulip")
    images = rows("clip:clip-vit-base-patch32", "image")
    assert np.array_equal(star.project(images).vectors, images.vectors)
    assert isthmus.Index(star.project(images)).search(found, k=1).ids.shape == (30, 1)
    with pytest.warns(UserWarning, match="630k-fusion-best"):
        star.project(rows("clap", "audio"))
    with pytest.raises(IsthmusError, match="'siglip2' is not in this graph"):
        star.project(rows("siglip2", "image"))


def test_another_family_than_the_authors_is_refused(tmp_path: Path) -> None:
    shapes = {f"{head}.{part}": (512, 512) for head in ("Head_A", "Head_B") for part in ("net1", "net2")}
    torch.save(random_state(shapes), tmp_path / "clap_clip.pt")
    for space in ("clap-general", "ulip"):
        with pytest.raises(IsthmusError, match="the connector connects 'clip' and 'clap'"):
            isthmus.Connector.load(tmp_path / "clap_clip.pt").project(rows(space, "audio"))


def test_a_connector_of_ours_takes_no_other_checkpoint() -> None:
    left, right = two_spaces(left_space="clip", right_space="clap")
    given = right["audio"]
    with pytest.raises(IsthmusError, match="of space 'clap:other'"):
        isthmus.connect(left, right, method="cca").project(given.with_vectors(given.vectors, space="clap:other"))


def test_an_exported_file_projects_as_before(shared_data: Path, tmp_path: Path) -> None:
    official = isthmus.Connector.load(shared_data / "cmcr_official" / "ulip_clip.pt")
    again = isthmus.Connector.load(official.export(tmp_path / "again.pt"))
    for given in (rows("clip", "image"), rows("ulip", "points")):
        np.testing.assert_allclose(again.project(given).vectors, official.project(given).vectors, atol=1e-6)


class Mlp(nn.Module):
    """The authors' module, as far as its names of weights go."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.net1 = nn.Sequential(nn.Linear(width, inner), nn.BatchNorm1d(inner), nn.ReLU())
        self.net2 = nn.Sequential(nn.Linear(inner, width), nn.BatchNorm1d(width))

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        return self.net2(self.net1(given))


@pytest.mark.parametrize("method", ["cmcr", "exmcr"])
def test_what_we_train_is_read_by_modules_like_theirs(tmp_path: Path, method: str) -> None:
    left, right = two_spaces(left_space="clip", right_space="clap")
    options = {
        "projector": "clap-clip" if method == "cmcr" else "two-mlps",
        "optimisation": {"epochs": 1, "min_steps": 5},
    }
    connector = isthmus.connect(left, right, method=method, **options)
    state = torch.load(connector.export(tmp_path / "ours.pt"), weights_only=True)
    given = right["audio"]
    width = given.dim
    hidden = torch.from_numpy(given.vectors)
    if method == "cmcr":
        heads = {"Head_A": Mlp(width, 2 * width), "Head_B": Mlp(width, 2 * width)}
        module = nn.ModuleDict(heads)
        module.load_state_dict(state)
        found = heads["Head_A"].eval()(hidden)
    else:
        head1 = nn.Linear(width, width)
        head2 = nn.ModuleDict({"mlp1": Mlp(width, 2 * width), "mlp2": Mlp(width, 2 * width)})
        nn.ModuleDict({"Head1": head1, "Head2": head2}).load_state_dict(state)
        head2.eval()
        found = head2["mlp2"](head2["mlp1"](head1(hidden)))
    expected = connector.project(given).vectors
    np.testing.assert_allclose(unit(found.detach().numpy()), expected, atol=2e-5)


@pytest.mark.slow
def test_what_their_layout_cannot_say_is_refused(tmp_path: Path) -> None:
    left, right = two_spaces(left_space="clip", right_space="clap")
    quick = {"method": "cmcr", "projector": "linear", "optimisation": {"epochs": 1, "min_steps": 2}}
    for options, says in (
        ({"method": "auto", "trained_share": 0.0}, "blend of"),
        ({"method": "cca"}, "with centring cannot be exported"),
        (quick, "--projector clap-clip"),
    ):
        with pytest.raises(IsthmusError, match=says):
            isthmus.connect(left, right, **options).export(tmp_path / "x.pt")
    with pytest.raises(IsthmusError, match="clip and clap through text"):
        isthmus.connect(*two_spaces(), **quick).export(tmp_path / "x.pt")


def test_heads_are_written_by_their_space_not_their_side(tmp_path: Path) -> None:
    clap, clip = two_spaces(left_space="clap", right_space="clip")
    options = {"projector": "clap-clip", "optimisation": {"epochs": 1, "min_steps": 5}}
    connector = isthmus.connect(clap, clip, method="cmcr", **options)
    again = isthmus.Connector.load(connector.export(tmp_path / "ours.pt"))
    for own in (*clap.values(), *clip.values()):
        np.testing.assert_allclose(again.project(own).vectors, connector.project(own).vectors, atol=2e-5)


def test_other_files_are_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    (tmp_path / "noise.pt").write_bytes(b"noise")
    for name, says in (
        ("other", "isthmus reads ulip_clip"),
        ("list", "not a state dict"),
        ("noise", "more than plain weights"),
        ("absent", "not found"),
    ):
        with pytest.raises(IsthmusError, match=says):
            isthmus.Connector.load(tmp_path / f"{name}.pt")


@pytest.mark.parametrize(
    "odd",
    [
        torch.zeros(1).expand(10**6, 10**6),
        torch.zeros(3, 3).to_sparse(),
        torch.zeros(()),
        torch.zeros(0, 512),
        torch.full((512, 1024), torch.nan),
        torch.zeros(512, 1024, dtype=torch.complex64),
    ],
)
def test_weights_of_an_odd_shape_or_kind_are_named(odd: torch.Tensor, tmp_path: Path) -> None:
    shapes = {f"{head}.{part}": (512, 512) for head in ("Head_A", "Head_B") for part in ("net1", "net2")}
    torch.save({**random_state(shapes), "Head_B.net2.0.weight": odd}, tmp_path / "clap_clip.pt")
    with pytest.raises(IsthmusError, match=r"clap_clip\.pt") as said:
        isthmus.Connector.load(tmp_path / "clap_clip.pt")
    assert "\n" not in str(said.value)


def test_a_full_disk_names_the_exported_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = {f"{head}.{part}": (512, 512) for head in ("Head_A", "Head_B") for part in ("net1", "net2")}
    torch.save(random_state(shapes), tmp_path / "clap_clip.pt")
    connector = isthmus.Connector.load(tmp_path / "clap_clip.pt")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(IsthmusError, match=r"ours\.pt: cannot be written \(No space left"):
        connector.export(tmp_path / "ours.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["clap_clip.pt"]
