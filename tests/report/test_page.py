"""The page must open offline, keep what it is given, and never let a name become markup."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from isthmus.report import (
    Answer,
    Cloud,
    Example,
    Page,
    Row,
    Section,
    Table,
    audio_html,
    cloud_panels,
    examples,
    grouped_bars,
    image_html,
    render,
    table,
    write_page,
)

VOID = {"meta", "img", "br"}


class Balanced(HTMLParser):
    """Fails where a tag is closed that is not open; keeps every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def full_page() -> str:
    draw = np.random.default_rng(0)
    shown = Example(
        image_html(draw.integers(0, 255, (4, 6), dtype=np.uint8), "three"),
        "three",
        (Answer(audio_html(np.zeros(80), 8000), "three", True), Answer(audio_html(np.zeros(80), 8000), "four", False)),
    )
    parts = (
        examples((shown,)),
        table(Table("method", ("R@1",), (Row("a", (1.0,)), Row("b", (2.0,))))),
        grouped_bars({"seen": {"a": 50.0, "b": 0.0}}, {"seen": 80.0}, "oracle", "R@1"),
        cloud_panels([Cloud("joint", {"text": draw.standard_normal((9, 4)), "image": draw.standard_normal((7, 4))})]),
    )
    return render(Page("Title", "Lead", (("82 %", "found"),), (Section("One", "Why", parts),)))


def test_the_page_refers_to_nothing_outside_itself() -> None:
    reader = Balanced()
    reader.feed(full_page())
    assert reader.open == []
    assert all(address.startswith(("data:", "#")) for address in reader.addresses)
    assert not re.search(r"url\((?!#)|@import|<script|<link", full_page())


def test_text_is_never_markup() -> None:
    nasty = "<script>alert('&')</script>"
    html = render(Page(nasty, nasty, ((nasty, nasty),), (Section(nasty, nasty, (
        table(Table(nasty, (nasty,), (Row(nasty, (nasty,), note=nasty),))),
        examples((Example(image_html(np.zeros((2, 2), np.uint8), nasty), nasty, (Answer("", nasty, True),)),)),
    )),)))  # fmt: skip
    assert "<script" not in html


def test_images_and_audio_are_embedded_losslessly() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (5, 7), dtype=np.uint8)
    stored = base64.b64decode(re.search(r"base64,([^\"]+)", image_html(pixels, "x"))[1])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(stored))), pixels)

    samples = np.sin(np.arange(400) / 5).astype(np.float32) / 2
    stored = base64.b64decode(re.search(r"base64,([^\"]+)", audio_html(samples, 8000))[1])
    heard, rate = soundfile.read(io.BytesIO(stored))
    assert rate == 8000
    np.testing.assert_allclose(heard, samples, atol=2**-15)


def test_colour_images_and_compact_audio_lose_little() -> None:
    across, down = np.meshgrid(np.linspace(40, 220, 64), np.linspace(40, 220, 64))
    pixels = np.stack([across, down, 255 - across], axis=2).astype(np.uint8)
    stored = base64.b64decode(re.search(r"webp;base64,([^\"]+)", image_html(pixels, "x"))[1])
    shown = np.asarray(Image.open(io.BytesIO(stored)).convert("RGB")).astype(float)
    assert np.abs(shown - pixels).mean() < 4

    samples = np.sin(np.arange(16000) / 12).astype(np.float32) / 2
    stored = base64.b64decode(re.search(r"mpeg;base64,([^\"]+)", audio_html(samples, 16000, compact=True))[1])
    heard, rate = soundfile.read(io.BytesIO(stored))
    assert (rate, len(heard)) == (16000, len(samples))
    assert np.corrcoef(heard, samples)[0, 1] > 0.98
    assert len(stored) < 2 * len(samples) / 4
    assert "audio/wav" in audio_html(samples, 15999, compact=True)


def test_the_best_of_a_column_is_marked_and_references_never_are() -> None:
    html = table(Table("m", ("x", "y"), (
        Row("low", (1.0, None)), Row("high", (3.0, 2.0)), Row("tied", (3.0, 1.0)), Row("x", (9.0, 9.0), "reference"),
    )))  # fmt: skip
    assert html.count('<td class="best">3.0</td>') == 2
    assert html.count('<td class="best">2.0</td>') == 1
    assert '<td class="best">9.0</td>' not in html
    assert "<td>–</td>" in html


def test_right_and_wrong_answers_are_told_apart_without_colour() -> None:
    html = examples((Example("", "q", (Answer("", "a", True), Answer("", "b", False))),))
    assert re.findall(r'aria-label="(\w+)">(.)</b> (\w)', html) == [("right", "✓", "a"), ("wrong", "✗", "b")]


def test_plots_take_the_pages_colour_and_say_their_numbers() -> None:
    drawn = grouped_bars({"seen": {"cca": 81.2}, "hard": {"cca": 60.0}}, {"seen": 90.0, "hard": 80.0}, "oracle", "R@1")
    assert "currentColor" in drawn
    assert "#010203" not in drawn
    for word in ("seen", "hard", "cca", "oracle", "81", "60"):
        assert f">{word}</text>" in drawn


def test_the_same_page_twice_is_the_same_file() -> None:
    assert full_page() == full_page()


def test_an_interrupted_write_leaves_the_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    write_page(Page("Old", "", (), ()), path)

    def cut_off(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", cut_off)
    with pytest.raises(KeyboardInterrupt):
        write_page(Page("New", "", (), ()), path)
    assert "Old" in path.read_text()
