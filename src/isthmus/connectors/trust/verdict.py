"""The verdict: what the figures of a report mean and what to do about them, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.connectors.trust.estimate import if_matched
from isthmus.connectors.trust.figures import FEW_HELD_OUT, Band, Coverage, ReportFigures
from isthmus.connectors.trust.printed import retrieval, sentence, shortened

GOOD, FAIR = 0.5, 0.2
"""Middle of the estimated MRR; 0.5 is a counterpart in the first two places on average."""
GOOD_LEAST = 0.45
"""Lower end of the estimated MRR from which retrieval may be called good."""
MANY_UNMATCHED = 0.1
"""Share of pairs from which wrong ids are named: 400 held-out rows tell it from 0 by three standard errors."""
MOST_LACKING = 0.5
"""A memory that lacks a larger share of the texts is named, unless results are likely good."""
LONGEST_NAME = 30


def verdict(report: ReportFigures) -> tuple[str, ...]:
    """What to expect, and then what to do next, most useful first; one sentence or two each."""
    if report.too_few_to_tell:
        return (
            f"The {report.held_out} held-out {report.overlap} rows are too few to tell whether rows find their "
            "counterparts.",
            f"Add rows that both sides share: {5 * FEW_HELD_OUT} or more are needed to hold out {FEW_HELD_OUT}.",
        )
    if report.at_chance:
        return (
            f"Do not use this connector: held-out {report.overlap} rows are matched no better than by chance.",
            "Check that equal ids mean equal items on both sides, that the rows differ from each other, and that "
            "training ran long enough.",
        )
    return (_headline(report), *_next_steps(report))


def _headline(report: ReportFigures) -> str:
    band = report.main_band
    if band is None:
        reason = report.given.reason if report.given else report.no_estimate
        because = f", because {reason}" if reason else ""
        return f"How good {retrieval(report)} will be cannot be told from these inputs{because}."
    level = _level(band)
    if report.given:
        return f"{sentence(retrieval(report))} is {level} for these queries and this gallery. {ADVICE[level]}"
    return f"{sentence(retrieval(report))} {BEFORE_A_QUERY[level]}"


def _level(band: Band) -> str:
    if band.middle >= GOOD and band.low >= GOOD_LEAST:
        return "likely good"
    return "likely fair" if band.middle >= FAIR else "likely poor"


ADVICE = {
    "likely good": "Check a few hits by eye, then use it.",
    "likely fair": "Look at the first ten hits of a query, not just the first.",
    "likely poor": "Measure it on some pairs before you use it.",
}
BEFORE_A_QUERY = {
    "likely good": (
        "can be good, if each encoder matches its own items and texts well. Unpaired data cannot show that: estimate "
        "it on your own queries and gallery (--queries and --gallery)."
    ),
    "likely fair": f"is likely fair at best. {ADVICE['likely fair']}",
    "likely poor": f"is likely poor. {ADVICE['likely poor']}",
}


def _next_steps(report: ReportFigures) -> Iterator[str]:
    band = report.main_band
    if report.overlap_mrr < GOOD:
        yield _weak_overlap(report)
    if band is None or band.middle < GOOD:
        lacking = [own for own in report.coverage if own.lacking is not None and own.lacking > MOST_LACKING]
        yield from (_lacking(report, own) for own in sorted(lacking, key=lambda own: -(own.lacking or 0.0)))
    if more := _more_rows(report):
        yield more
    if report.held_out < FEW_HELD_OUT:
        yield (
            f"Only {report.held_out} {report.overlap} rows were held out, so all figures are rough: "
            f"{5 * FEW_HELD_OUT} shared rows hold out {FEW_HELD_OUT}."
        )
    if band is None and report.given is None and len(report.coverage) == 2:
        yield "Check some hits by eye, and estimate it on your own queries and gallery (--queries and --gallery)."


def _weak_overlap(report: ReportFigures) -> str:
    unmatched = report.criteria.get("unmatched", 0.0)
    if unmatched >= MANY_UNMATCHED and if_matched(report.criteria["texts"], unmatched) >= GOOD:
        return (
            f"About {100 * unmatched:.0f} % of the {report.overlap} pairs look wrongly matched: they rank their "
            "counterparts anywhere, while the others find them. Check that equal ids mean equal items."
        )
    found = (
        f"Held-out {report.overlap} rows find their counterparts for R@1 {100 * report.overlap_r1:.0f} % only: the two "
        "spaces agree little about them, and other modalities hardly agree better."
    )
    if report.overlap_mrr < FAIR:
        return f"{found} Check that equal ids mean equal items, then add more specific {report.overlap} rows."
    return f"{found} Add more specific {report.overlap} rows."


def _lacking(report: ReportFigures, memory: Coverage) -> str:
    share = f"{100 * (memory.lacking or 0.0):.0f} % of the {report.overlap} rows"
    example = ""
    if memory.worst:
        worst = memory.worst[0]
        name, item, back = (shortened(str(own), LONGEST_NAME) for own in (worst.text, worst.item, worst.leads_to))
        example = f", such as {name!r} (nearest: {item!r}, which is most like {back!r})"
    return (
        f"The {memory.name} memory lacks {share}{example}. If you search for such content, add {memory.modality} "
        "items of it."
    )


def _more_rows(report: ReportFigures) -> str:
    """How many more overlap rows would help, and why; "" if nothing says so."""
    rises = report.half is not None and report.half.still_rises
    few = report.rows < max(report.dims, default=0)
    if not rises and not few:
        return ""
    if rises and report.half is not None:
        half = report.half
        reason = (
            f"half of the {half.rows} fitted {report.overlap} rows gave a held-out MRR of {half.half_mrr:.2f}, all of "
            f"them {half.mrr:.2f}"
        )
    else:
        reason = f"{report.rows} {report.overlap} rows cannot span {max(report.dims)} dimensions"
    wanted = max(2 * report.rows, max(report.dims, default=0)) if rises else max(report.dims)
    return f"More {report.overlap} rows would help: {reason}. Aim at {wanted} shared rows."
