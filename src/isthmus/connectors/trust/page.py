"""The report as a page: verdict, estimates, gap, coverage, worst-covered texts and examples."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from isthmus.connectors.trust.figures import Coverage, ReportFigures, ShownItem
from isthmus.connectors.trust.pictures import media_html
from isthmus.connectors.trust.printed import gaps_of, held_out, names, retrieval, sentence, shortened
from isthmus.connectors.trust.verdict import FAIR, GOOD
from isthmus.report import (
    Answer,
    Bar,
    Example,
    Link,
    Page,
    Section,
    Span,
    bars,
    chains,
    examples,
    histogram,
    scale,
    steps,
)

ZONES = (("poor", 0.0, FAIR), ("fair", FAIR, GOOD), ("good", GOOD, 1.0))
LONGEST = 60
"""Characters of an item that are shown; of a path the end."""
LONGEST_GAP = 2.0
"""The means of unit rows are at most that far apart."""


def report_page(figures: ReportFigures) -> Page:
    """The page."""
    headline, *next_steps = figures.verdict or ("",)
    sections = [
        _estimates(figures, next_steps),
        *([_gaps(figures)] if figures.coverage else []),
        *([_coverage(figures)] if any(own.cycles for own in figures.coverage) else []),
        *([_worst(figures)] if any(own.worst for own in figures.coverage) else []),
        *([_examples(figures)] if figures.examples else []),
    ]
    joined = " and ".join(figures.spaces or (own.modality for own in figures.coverage))
    return Page(f"How far to trust {joined}", headline, tuple(_facts(figures)), tuple(sections))


def _facts(figures: ReportFigures) -> Iterator[tuple[str, str]]:
    band = figures.main_band
    if band is not None:
        yield f"{band.low:.2f} to {band.high:.2f}", f"estimated MRR in a gallery of {band.gallery}"
    yield f"{100 * figures.overlap_r1:.0f} %", f"R@1 of held-out {figures.overlap} rows"
    for entry in figures.coverage:
        if entry.lacking is not None:
            yield f"{100 * entry.lacking:.0f} %", f"of the {figures.overlap} rows that the {entry.name} memory lacks"


def _estimates(figures: ReportFigures, next_steps: list[str]) -> Section:
    spans = []
    if figures.given is not None and figures.given.band is not None:
        given, band = figures.given, figures.given.band
        label = f"{given.count} {given.queries} queries in {band.gallery} {given.gallery} items"
        spans.append(Span(label, band.low, band.middle, band.high, band.assumes))
    for band in figures.bands:
        label = f"{retrieval(figures)} in a gallery of {band.gallery}"
        spans.append(Span(label, band.low, band.middle, band.high, band.assumes))
    text = figures.overlap_mrr
    spans.append(Span(f"held-out {figures.overlap} rows among {figures.held_out}", text, text, text, _half(figures)))
    chance = figures.chance_mrr
    spans.append(Span("the same by chance", chance, chance, chance))
    parts = [steps(next_steps)] if next_steps else []
    reasons = [figures.no_estimate] if figures.no_estimate else []
    if figures.given is not None and figures.given.reason:
        reasons.insert(0, figures.given.reason)
    said = f" No estimate: {'; '.join(reasons)}." if reasons else ""
    return Section(
        "What to expect, and what to do next",
        f"MRR, the mean of 1 / rank of the right item: 1 if it always comes first, 0.5 if it comes second. "
        f"{sentence(held_out(figures))}.{said}",
        (*parts, scale(spans, ZONES)),
    )


def _half(figures: ReportFigures) -> str:
    half = figures.half
    if half is None:
        return ""
    return (
        f"by one closed form on {figures.overlap} alone: {half.mrr:.2f} with {half.rows} rows, {half.half_mrr:.2f} "
        f"with half of them (standard error of the difference {half.error:.2f})"
    )


def _gaps(figures: ReportFigures) -> Section:
    shown = []
    for entry in figures.coverage:
        for gap in gaps_of(figures, entry):
            label = f"{entry.space} {figures.overlap}-{gap.modalities[1]}"
            shown += [
                _gap(f"{label}, before", gap.before or 0.0, "plain"),
                _gap("in the joint space", gap.after, "after"),
            ]
    shown += [
        _gap(f"{' to '.join(names(figures, gap))}, in the joint space", gap.after, "after")
        for gap in figures.gaps
        if gap.before is None
    ]
    return Section(
        "The modality gap",
        "The distance between the means of two modalities, of 2 at most. After connecting it should be small.",
        (bars(shown),),
    )


def _gap(label: str, distance: float, kind: str) -> Bar:
    return Bar(label, distance / LONGEST_GAP, f"{distance:.2f}", kind)


def _coverage(figures: ReportFigures) -> Section:
    parts = [_histogram(figures, entry) for entry in figures.coverage if entry.cycles]
    return Section(
        "What the memories cover",
        f"For each of the {figures.overlap} rows: whether the items of the memory that are most like it lead back to "
        "it (cycle score 1) or to others (0). The memory lacks rows below 0.5, which matters only if somebody searches "
        "for such content.",
        (f'<div class="pairs">{"".join(parts)}</div>',),
    )


def _histogram(figures: ReportFigures, entry: Coverage) -> str:
    title = (
        f"{entry.name} memory, {entry.rows} items: median {entry.cycle:.2f}; cosine to the nearest item "
        f"{entry.top_cosine:.2f}"
    )
    return histogram(entry.cycles, title, f"{figures.overlap} rows")


def _worst(figures: ReportFigures) -> Section:
    parts = []
    for entry in figures.coverage:
        if entry.worst:
            rows = [
                [
                    _link(figures, entry, figures.overlap, own.text, f"cycle score {own.cycle:.2f}"),
                    _link(figures, entry, entry.modality, own.item, f"cosine {own.cosine:.2f}"),
                    _link(figures, entry, figures.overlap, own.leads_to, ""),
                ]
                for own in entry.worst
            ]
            heads = (
                f"{figures.overlap}",
                f"nearest {entry.modality} item",
                f"the {figures.overlap} nearest to that item",
            )
            parts += [f"<h3>{escape(entry.name)} memory</h3>", chains(heads, rows)]
    return Section(
        f"The worst-covered {figures.overlap} rows",
        "What each memory covers worst, and what it retrieves for it. A row with a cycle score of 0.5 or more is "
        "covered.",
        tuple(parts),
    )


def _link(figures: ReportFigures, entry: Coverage, modality: str, item: ShownItem, note: str) -> Link:
    return Link(_media(figures, entry.space, modality, item), shortened(str(item), LONGEST), note)


def _media(figures: ReportFigures, space: str | None, modality: str, item: ShownItem) -> str:
    for own in modality.split(" and "):  # one side may have several memories
        place = figures.media.get((space or "", own, item.id))
        if place is not None:
            return media_html(own, place, str(item))
    return ""


def _examples(figures: ReportFigures) -> Section:
    left, right = figures.coverage
    shown = tuple(
        Example(
            _media(figures, left.space, left.modality, own.query),
            shortened(str(own.query), LONGEST),
            tuple(
                Answer(
                    _media(figures, right.space, right.modality, hit),
                    f"{shortened(str(hit), LONGEST)} ({score:.2f})",
                    None,
                )
                for hit, score in zip(own.hits, own.scores, strict=True)
            ),
        )
        for own in figures.examples
    )
    return Section(
        "Judge for yourself",
        f"Some {left.name} items (left) and the nearest {right.name} items in the joint space, best first, with their "
        "cosines. Nothing says which are right: look.",
        (f'<div class="plain-media">{examples(shown)}</div>',),
    )
