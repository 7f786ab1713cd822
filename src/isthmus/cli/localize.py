"""The localize command."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from isthmus.base.errors import IsthmusError
from isthmus.base.options import require
from isthmus.cli.lines import write_json_lines
from isthmus.cli.terminal import say

if TYPE_CHECKING:
    import numpy as np

    from isthmus.localize import JointEncoder, Localized, Localizer

MOST_UNRELATED = 1000
Place = dict[str, object]


def localize(
    place: Path,
    *,
    query: str,
    by: Literal["dense", "proposals", "codes", "tokens"] | None = None,
    connector: Path | None = None,
    codes: Path | None = None,
    space: tuple[str, ...] = (),
    detector: str | None = None,
    unrelated: Path | None = None,
    overlay: Path | None = None,
    heat: Path | None = None,
    queries: Path | None = None,
    gallery: Path | None = None,
    part: tuple[float, float] | None = None,
    ids: tuple[str, ...] = (),
    query_modality: str | None = None,
    gallery_modality: str | None = None,
    least: float = 0.25,
    out: Path | None = None,
) -> None:
    """Find where something is: a box in an image, seconds of audio, words of a text.

    In a file: localize PHOTO --query CLIP.wav --connector CONNECTOR. In embedding sets with tokens: localize CODES
    --query ID --queries SET --gallery SET, where CODES is a code model. Prints one JSON object per item: its score, the
    region that matches best and the peak in it; for a file also all regions.

    Args:
        place: An image or an audio clip to look in; for sets, the folder of a code model.
        query: What to look for: a file (audio, image, point cloud) or a text; for sets, the id of an item.
        by: How to compare. A file: dense (patches, or steps of audio; the default), proposals (windows of an image that
            are embedded one by one) or codes. Sets: codes (the default) or tokens (projected by the code model).
        connector: Connector or graph that connects the spaces of the file and of the query; not needed if one encoder
            takes both.
        codes: Code model, for a file by codes.
        space: Encoders, as for embed; needed for those that are not a family's default, and without a connector.
        detector: Object detector of transformers that makes the proposals, such as hustvl/yolos-tiny or a folder; by
            default they are windows of several sizes and shapes.
        unrelated: Embedding set with at least 20 other items of the query's modality. The result then has a confidence
            that the query is in the file: the share of them that score lower there.
        overlay: Write the image with the heat and the best regions to this .png file.
        heat: Write the heat of every pixel of the image to this .npy file.
        queries: Embedding set with tokens that contains the query.
        gallery: Embedding set with tokens to look in.
        part: Use only this part of a query in a set, given by its start and its end: seconds of audio, characters of a
            text, or pixels from the left of an image.
        ids: Look in these gallery items only.
        query_modality: Modality of the query; needed if its set has tokens of several, or its file does not tell.
        gallery_modality: Modality to look in; needed if the gallery has tokens of several, or the file does not tell.
        least: Agreement with the query that a part needs to belong to a region, from 0 (the item's median) to 1 (its
            highest).
        out: Write the results to this .jsonl file instead of printing them.
    """
    require(query.strip() != "", "query", "a file or a text", repr(query))
    require(0 <= least <= 1, "least", "between 0 and 1", least)
    modalities = query_modality, gallery_modality
    if queries is not None or gallery is not None:
        ways: dict[str, object] = {"connector": connector, "codes": codes, "space": space, "detector": detector}
        _refuse({**ways, "unrelated": unrelated, "overlay": overlay, "heat": heat}, "files; leave it out for sets")
        require(by not in ("dense", "proposals"), "by", "codes or tokens for sets", by)
        sets = queries, gallery
        found = _in_sets(place, sets, modalities, query, part, ids, "tokens" if by == "tokens" else "codes", least)
        write_json_lines(found, "places", out)
        return
    _refuse({"part": part, "ids": ids}, "sets; leave it out for a file")
    require(by != "tokens", "by", "dense, proposals or codes for a file", by)
    require(overlay is None or overlay.suffix.lower() == ".png", "overlay", "a .png file", overlay)
    require(heat is None or heat.suffix.lower() == ".npy", "heat", "a .npy file", heat)
    require(detector is None or by == "proposals", "by", "proposals with --detector", by)
    located = _in_file(place, query, modalities, by or "dense", (connector, codes, space, detector), unrelated, least)
    _write_images(place, located, overlay, heat)
    write_json_lines([{"item": str(place), "query": query, **_all_regions(located)}], "places", out)


def _refuse(options: Mapping[str, object], why: str) -> None:
    given = next((name for name, value in options.items() if value not in (None, ())), None)
    if given is not None:
        raise IsthmusError(f"--{given} is for {why}")


def _in_sets(
    codes: Path,
    sets: tuple[Path | None, Path | None],
    modalities: tuple[str | None, str | None],
    query: str,
    part: tuple[float, float] | None,
    ids: tuple[str, ...],
    by: Literal["codes", "tokens"],
    least: float,
) -> Iterator[Place]:
    from isthmus.codes.model.model import CodeModel
    from isthmus.embeddings import open_tokens
    from isthmus.localize import LocateQuery, locate

    queries, gallery = sets
    if queries is None or gallery is None:
        raise IsthmusError(f"missing --{'queries' if queries is None else 'gallery'}: sets need both")
    model = CodeModel.load(codes)
    asked = open_tokens(queries, modalities[0], option="--query-modality")
    wanted = LocateQuery.of(model, asked, query, part)
    tokens = open_tokens(gallery, modalities[1], ids=ids, option="--gallery-modality")
    for found in locate(model, wanted, tokens, by=by, least=least):
        places = {"peak": _rounded(found.peak), "region": _rounded(found.region)}
        yield {"item": found.item, "score": round(found.score, 4), **places, "unit": tokens.unit}


def _in_file(
    place: Path,
    query: str,
    modalities: tuple[str | None, str | None],
    by: str,
    means: tuple[Path | None, Path | None, tuple[str, ...], str | None],
    unrelated: Path | None,
    least: float,
) -> "Localized":
    from isthmus.localize import localized
    from isthmus.localize.opening import modality_of

    if not place.is_file():
        what = "is a folder; for a code model give --queries and --gallery" if place.is_dir() else "not found"
        raise IsthmusError(f"{place}: {what}; to look in a file, give an image or an audio clip")
    kind = modality_of(str(place), modalities[1], "--gallery-modality")
    asked = modality_of(query, modalities[0], "--query-modality")
    localizer, encoder = _localizer(by, means, (kind, asked))
    others = None if unrelated is None else _unrelated(unrelated, asked, query, encoder)
    row = localizer.queries([query], asked)[0]
    return localized(localizer.parts([place], kind)[0], row, others, least)


def _localizer(
    by: str,
    means: tuple[Path | None, Path | None, tuple[str, ...], str | None],
    kinds: tuple[str, str],
) -> "tuple[Localizer, JointEncoder | None]":
    """The way to localize, and what encodes its queries unless it goes by codes."""
    from isthmus.codes.model.model import CodeModel
    from isthmus.connectors.graph.space_graph import load_any
    from isthmus.localize import CodeLocalizer, DenseLocalizer, JointEncoder, ProposalLocalizer, load_detector
    from isthmus.localize.opening import open_spaces

    connector, codes, specs, detector = means
    if by == "codes":
        if codes is None or connector is not None:
            raise IsthmusError("--by codes needs --codes, a code model, and no --connector")
        model = CodeModel.load(codes)
        return CodeLocalizer(model, open_spaces(model, specs, kinds)), None
    if codes is not None:
        raise IsthmusError("--codes is for --by codes; leave it out")
    joint = None if connector is None else load_any(connector)
    encoder = JointEncoder(open_spaces(joint, specs, kinds), joint)
    if by == "dense":
        return DenseLocalizer(encoder), encoder
    return ProposalLocalizer(encoder, None if detector is None else load_detector(detector)), encoder


def _unrelated(place: Path, modality: str, query: str, encoder: "JointEncoder | None") -> "np.ndarray":
    """Rows of the set's items of the query's modality, without the query itself."""
    import numpy as np

    from isthmus.embeddings import open_set

    if encoder is None:
        raise IsthmusError("--unrelated is for --by dense and proposals; leave it out")
    found = open_set(place)
    if modality not in found:
        raise IsthmusError(f"{place}: no {modality} vectors (--unrelated); it holds {', '.join(found)}")
    items = found[modality]
    kept = np.flatnonzero([name not in (query, Path(query).name) for name in items.ids])
    some = np.unique(np.linspace(0, len(kept) - 1, min(len(kept), MOST_UNRELATED)).astype(int))
    return encoder.project(items.take(kept[some]))


def _write_images(place: Path, found: "Localized", overlay: Path | None, heat: Path | None) -> None:
    from isthmus.localize import write_heat, write_overlay

    _refuse({} if found.parts.unit == "pixels" else {"overlay": overlay, "heat": heat}, f"images, not for {place}")
    if overlay is not None:
        say(f"overlay: {write_overlay(place, found, overlay)}")
    if heat is not None:
        say(f"heat: {write_heat(found, heat)}")


def _all_regions(found: "Localized") -> Place:
    pairs = zip(found.regions, found.scores, strict=True)
    regions = [{"region": _rounded(place), "score": round(float(score), 4)} for place, score in pairs]
    sure = {} if found.confidence is None else {"confidence": round(found.confidence, 6)}
    best = {"peak": _rounded(found.peak), "region": _rounded(found.regions[0])}
    return {"score": round(found.score, 4), **sure, **best, "unit": found.parts.unit, "regions": regions}


def _rounded(place: "np.ndarray") -> list[float]:
    return [round(float(side), 3) for side in place]
