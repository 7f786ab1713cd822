"""What a memory covers worst, against a computation in NumPy, and what a page shows of it."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

import isthmus
from isthmus.connectors.connect import prepare
from isthmus.connectors.trust.report import ConnectorReport
from isthmus.embeddings.writer import EmbeddingWriter
from two_sides import two_spaces

Side = dict[str, isthmus.Embeddings]


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def softmax(scores: np.ndarray) -> np.ndarray:
    weights = np.exp(scores - scores.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True)


@pytest.fixture(scope="module")
def sides() -> tuple[Side, Side]:
    """Two spaces; the audio memory has only items that are like the first text."""
    left, right = two_spaces(left_space="clip", right_space="clap")
    rows = right["audio"]
    noise = np.random.default_rng(0).standard_normal(rows.vectors.shape) / 20
    alike = isthmus.Embeddings.from_array(
        right["text"].vectors[0] + noise, modality="audio", space="clap", ids=[f"sound{k}" for k in rows.ids]
    )
    return left, {**right, "audio": alike}


@pytest.mark.parametrize(("number", "modality"), [(0, "image"), (1, "audio")])
def test_the_worst_covered_texts_are_those_whose_items_lead_elsewhere(
    sides: tuple[Side, Side], number: int, modality: str
) -> None:
    prepared = prepare(*sides, "text", 0)
    side, found = sides[number], prepared.coverages[number]
    texts, items = (
        unit(side[name].vectors.astype(np.float64) - prepared.centred.centres[number][name].numpy())
        for name in ("text", modality)
    )
    pseudo = unit(softmax(texts @ items.T / 0.01) @ items)
    back = unit(softmax(pseudo @ texts.T / 0.05) @ texts)
    cycle = np.maximum(0, (back * texts).sum(1))
    order = np.lexsort(((texts @ items.T).max(1), cycle))[:5]
    assert [own.text.id for own in found.worst] == [side["text"].ids[row] for row in order]
    for own, row in zip(found.worst, order, strict=True):
        nearest = int((texts[row] @ items.T).argmax())
        assert own.cycle == pytest.approx(cycle[row], abs=1e-4)
        assert own.item.id == side[modality].ids[nearest]
        assert own.cosine == pytest.approx(texts[row] @ items[nearest], abs=1e-5)
        assert own.leads_to.id == side["text"].ids[int((texts @ items[nearest]).argmax())]
    assert found.cycle == pytest.approx(np.sort(cycle)[(len(cycle) - 1) // 2], abs=1e-4)
    assert abs(found.lacking - (cycle < 0.5).mean()) < 2 / len(cycle)
    assert sum(found.cycles) == len(cycle)


def test_a_memory_of_one_kind_of_item_lacks_the_other_texts_and_is_named(sides: tuple[Side, Side]) -> None:
    report = isthmus.connect(*sides, method="cca").report
    image, audio = report.coverage
    assert audio.lacking > 0.8
    assert image.lacking < 0.1
    assert any(line.startswith("text that the clap audio memory lacks") for line in report.lines())
    assert not any("the clip image memory lacks" in line for line in report.lines())


def test_examples_are_the_nearest_items_in_the_joint_space(sides: tuple[Side, Side]) -> None:
    connector = isthmus.connect(*sides, method="procrustes")
    left, right = (connector.project(side[name]) for side, name in zip(sides, ("image", "audio"), strict=True))
    assert len(connector.report.examples) == 4
    for example in connector.report.examples:
        scores = left.select([example.query.id]).vectors @ right.vectors.T
        best = np.argsort(-scores[0])[:3]
        # The report is measured on maps that were fitted without the held-out rows.
        assert right.ids[best[0]] in [hit.id for hit in example.hits]
        assert list(example.scores) == sorted(example.scores, reverse=True)


def test_more_rows_are_asked_for_where_half_of_them_were_worse() -> None:
    """Two noisy views of one content: few rows of many dimensions overfit, and many do not."""
    draw = np.random.default_rng(0)
    content = draw.standard_normal((1500, 24))
    views = [content @ draw.standard_normal((24, 24)) + 1.5 * draw.standard_normal((1500, 24)) for _ in "ab"]
    found = {}
    for rows in (60, 1500):
        left, right = (
            {"text": isthmus.Embeddings.from_array(view[:rows], modality="text", space=space, ids=range(rows))}
            for view, space in zip(views, ("clip", "clap"), strict=True)
        )
        with pytest.warns(UserWarning, match="has no memory"):
            found[rows] = isthmus.connect(left, right, method="cca").report.half
    assert found[60].rows == 48
    assert found[1500].still_rises == (found[1500].mrr - found[1500].half_mrr > 2 * found[1500].error)
    assert found[1500].mrr > found[1500].half_mrr - 2 * found[1500].error


@pytest.fixture
def stored(sides: tuple[Side, Side], tmp_path: Path) -> tuple[Side, Side]:
    """The same sides as sets on disk, whose metadata has texts and the places of media."""
    draw = np.random.default_rng(0)
    for side, name in zip(sides, ("clip", "clap"), strict=True):
        for modality, rows in side.items():
            facts = []
            for row, own in enumerate(rows.ids):
                place = tmp_path / f"{own}.{ {'image': 'png', 'audio': 'wav'}.get(modality) }"
                if modality == "image":
                    Image.fromarray(draw.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(place)
                if modality == "audio":
                    soundfile.write(place, draw.uniform(-0.1, 0.1, 800), 8000)
                known = modality != "text"
                facts.append({"uri": str(place) if known else "", "text": "" if known else f"caption <{row}>"})
            with EmbeddingWriter(
                tmp_path / name, modality=modality, space=rows.space, dim=rows.dim, numbered=False, job="test"
            ) as writer:
                writer.append(rows.vectors, rows.ids, facts)
    return isthmus.open_set(tmp_path / "clip"), isthmus.open_set(tmp_path / "clap")


def test_a_page_shows_captions_and_media_of_sets_on_disk_and_no_path_is_saved(
    stored: tuple[Side, Side], tmp_path: Path
) -> None:
    connector = isthmus.connect(*stored, method="cca")
    worst = connector.report.coverage[1].worst[0]
    row = stored[1]["text"].ids.index(worst.text.id)
    assert worst.text.text == f"caption <{row}>"
    page = connector.report.save(tmp_path / "report.html").read_text()
    assert f"caption &lt;{row}&gt;" in page
    shown = {entry.worst[k].item.id for entry in connector.report.coverage for k in range(5)}
    shown |= {item.id for own in connector.report.examples for item in (own.query, *own.hits)}
    assert len(connector.report.media) == len(shown)
    assert page.count("data:image/jpeg;base64,") == 5 + 4
    assert page.count("data:audio/wav;base64,") == 5 + 4 * 3
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "<h3>clap audio memory</h3>" in page

    loaded = isthmus.Connector.load(connector.save(tmp_path / "saved")).report
    assert str(tmp_path) not in (tmp_path / "saved" / "config.json").read_text()
    assert loaded == connector.report
    assert "data:image" not in loaded.save(tmp_path / "loaded.html").read_text()
    assert loaded.save(tmp_path / "loaded.html", *stored).read_text() == page


def test_files_that_are_gone_or_broken_leave_the_page_without_pictures(
    stored: tuple[Side, Side], tmp_path: Path
) -> None:
    report = isthmus.connect(*stored, method="procrustes").report
    for number, place in enumerate(sorted(set(report.media.values()))):
        Path(place).unlink() if number % 2 else Path(place).write_bytes(b"broken")
    page = report.save(tmp_path / "report.html").read_text()
    assert "data:image" not in page
    assert "data:audio" not in page
    assert "<h2>Judge for yourself</h2>" in page


def test_rows_without_ids_are_shown_by_number(sides: tuple[Side, Side]) -> None:
    left, right = sides
    images = isthmus.Embeddings.from_array(left["image"].vectors, modality="image", space="clip")
    report: ConnectorReport = isthmus.connect({**left, "image": images}, right, method="procrustes").report
    assert all(re.fullmatch(r"row \d+", own.item.id) for own in report.coverage[0].worst)
