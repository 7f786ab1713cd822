"""The report in print: one screen of text, the verdict first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from textwrap import wrap

from isthmus.connectors.trust.figures import Band, Coverage, GalleryEstimate, Gap, ReportFigures, WorstText

COLUMNS, LINES = 100, 24
"""The screen that the report fits. Only a verdict of many sentences is longer."""
LEAST_WORST, MOST_WORST = 2, 5
"""Worst-covered texts of each side: as many as the screen has room for."""
ELSEWHERE = 0.5
"""A text with a lower cycle score leads to others rather than back to itself."""


def printed(figures: ReportFigures) -> list[str]:
    """The lines: verdict, estimates, next steps, figures, worst-covered texts."""
    headline, *steps = figures.verdict or ("",)
    found = [*wrap(headline, COLUMNS)]
    for text in estimates(figures):
        found += wrap(text, COLUMNS, subsequent_indent="  ")
    for number, step in enumerate(steps, 1):
        found += wrap(f"{number}. {step}", COLUMNS, initial_indent="", subsequent_indent="   ")
    found += ["", held_out(figures)]
    found += _table(figures)
    missed = {own.name: [text for text in own.worst if text.cycle < ELSEWHERE] for own in figures.coverage}
    shown = {name: texts for name, texts in missed.items() if texts}
    room = (LINES - len(found)) // max(1, len(shown)) - 1
    for name, texts in shown.items():
        found += _worst(figures, name, texts[: min(MOST_WORST, max(LEAST_WORST, room))])
    return found


def estimates(figures: ReportFigures) -> Iterator[str]:
    """The estimates in words, that of the given gallery first; or why there is none, unless the verdict says so."""
    said = figures.verdict[0] if figures.verdict else ""
    if figures.given is not None and (figures.given.band is not None or figures.given.reason not in said):
        yield given_estimate(figures.given)
    for band in figures.bands:
        yield f"estimated MRR of {retrieval(figures)} in a gallery of {band.gallery}: {_band(band)}"
    if figures.no_estimate and figures.no_estimate not in said:
        yield f"no estimate before any query: {figures.no_estimate}"


def given_estimate(given: GalleryEstimate) -> str:
    """The estimate for the user's own queries and gallery, in words."""
    about = f"the {given.count} {given.queries} queries"
    if given.band is None:
        return f"no estimate for {about} in the {given.gallery} gallery: {given.reason}"
    return f"estimated MRR of {about} in the gallery of {given.band.gallery} {given.gallery} items: {_band(given.band)}"


def retrieval(figures: ReportFigures) -> str:
    """What the estimate is of, such as "retrieval between clip image and clap audio"."""
    names = [entry.name for entry in figures.coverage]
    return f"retrieval between {' and '.join(names)}" if len(names) > 1 else "cross-modal retrieval"


def sentence(text: str) -> str:
    """The text with a capital letter."""
    return text[:1].upper() + text[1:]


def held_out(figures: ReportFigures) -> str:
    """Retrieval of held-out overlap rows, in a line."""
    return (
        f"held-out {figures.overlap} ({figures.held_out} rows): R@1 {100 * figures.overlap_r1:.0f} %, "
        f"MRR {figures.overlap_mrr:.2f} (chance {figures.chance_mrr:.2f})"
    )


def gaps_of(figures: ReportFigures, entry: Coverage) -> list[Gap]:
    """The gaps between the overlap and each memory of a side."""
    return [
        gap
        for gap in figures.gaps
        if gap.before is not None and gap.space == entry.space and gap.modalities[1] in entry.modalities
    ]


def gap_between(figures: ReportFigures) -> str:
    """The gap between the memories in the joint space, and the hubness; "" without a memory on both sides."""
    found = [
        f"gap {' to '.join(shortened(own, 24) for own in names(figures, gap))} {gap.after:.2f} in the joint space"
        for gap in figures.gaps
        if gap.before is None
    ]
    if figures.hubness is not None:
        found.append(f"hubness {figures.hubness:.1f}")
    return "; ".join(found)


def names(figures: ReportFigures, gap: Gap) -> tuple[str, ...]:
    """The names of two memories between which there is a gap, with their spaces if they are known."""
    if len(gap.modalities) == len(figures.spaces):
        return tuple(f"{space} {modality}" for space, modality in zip(figures.spaces, gap.modalities, strict=True))
    return gap.modalities


def _band(band: Band) -> str:
    return f"{band.low:.2f} to {band.high:.2f} (middle {band.middle:.2f}), {band.assumes}"


def _table(figures: ReportFigures) -> list[str]:
    """A row per memory: items, median cosine to the nearest item, median cycle score, gap before and after."""
    if not figures.coverage:
        return []
    heads = ["memory", "items", "nearest item", "leads back", f"gap to {figures.overlap}", "joint gap"]
    rows = [heads]
    for entry in figures.coverage:
        shown = ["-" if math.isnan(own) else f"{own:.2f}" for own in (entry.top_cosine, entry.cycle)]
        gaps = [(f"{gap.before:.2f}", f"{gap.after:.2f}") for gap in gaps_of(figures, entry)] or [("-", "-")]
        shown += [", ".join(own) for own in zip(*gaps, strict=True)]
        rows.append([shortened(entry.name, 40), str(entry.rows), *shown])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_aligned(row, widths) for row in rows]
    between = gap_between(figures)
    return [*lines, between] if between else lines


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(width) if n == 0 else cell.rjust(width)
        for n, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join([first, *rest])


def _worst(figures: ReportFigures, name: str, texts: Sequence[WorstText]) -> list[str]:
    """A line per text: what the memory lacks, the nearest item it has, and the text that is nearest to that."""
    heads = (shortened(f"{figures.overlap} that the {name} memory lacks", 56), "nearest item", "which is most like")
    rows = [heads]
    rows += [(f"  {own.text}", str(own.item), str(own.leads_to)) for own in texts]
    limits = (58, 20, 18) if any(len(row[0]) > 40 for row in rows) else (40, 30, 26)
    cut = [tuple(shortened(cell, limit) for cell, limit in zip(row, limits, strict=True)) for row in rows]
    widths = [max(len(row[place]) for row in cut) for place in range(3)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cut]


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` characters on one line; of a path the end, of anything else the beginning.

    Example:
        >>> shortened("sounds/animals/cat_0001.wav", 15), shortened("a photograph of a cat", 15)
        ('…s/cat_0001.wav', 'a photograph o…')
    """
    plain = " ".join(text.split()) if text.strip() else text
    indent = text[: len(text) - len(text.lstrip())]
    plain = indent + plain
    if len(plain) <= limit:
        return plain
    if "/" in plain and " " not in plain.strip():
        return indent + "…" + plain[len(plain) - (limit - 1 - len(indent)) :]
    return plain[: limit - 1] + "…"
