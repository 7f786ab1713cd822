"""The verdict: what the figures of a report mean for its user, in plain sentences with a remedy."""

from __future__ import annotations

from isthmus.connectors.trust.report import ConnectorReport

UNCOVERED = 0.3
"""Median centred top cosine below which most texts retrieve nothing like them (bank of worlds: docs/benchmarks.md)."""
FEW_HELD_OUT = 40
FEW_ITEMS = 200
"""A band for a gallery of 200 needs as many items in each memory."""
GOOD, FAIR = 0.5, 0.2
"""Middle of the estimated MRR band: above the first, found in the first two places on average."""


def verdict(report: ConnectorReport) -> tuple[str, ...]:
    """One sentence a finding, the gravest first."""
    found = []
    if not report.found_twins:
        found.append(
            "Held-out overlap rows find their twins no better than by chance: nothing can be trusted. Do ids on both "
            "sides name the same items? Are the rows different from each other? Was the method trained long enough?"
        )
    for entry in report.coverage:
        if entry.top_cosine < UNCOVERED:
            found.append(
                f"The {entry.modality} memory does not cover the overlap (median top cosine {entry.top_cosine:.2f}): "
                f"results will be poor where it has nothing alike; add {entry.modality} items like the overlap rows."
            )
    few = [entry for entry in report.coverage if entry.rows < FEW_ITEMS]
    for entry in few:
        found.append(
            f"The {entry.modality} memory has only {entry.rows} items: add some; an estimate needs {FEW_ITEMS} a side."
        )
    if not report.bands and not few and report.found_twins:
        found.append("Without a memory on both sides retrieval between them cannot be estimated: add one.")
    for band in report.bands:
        if any(entry.top_cosine < UNCOVERED for entry in report.coverage):
            break
        if band.middle >= GOOD:
            found.append("Retrieval between the two unshared modalities is likely good.")
        elif band.middle >= FAIR:
            found.append("Retrieval between the two unshared modalities is likely fair: look at ten hits, not one.")
        else:
            found.append("Retrieval between the two unshared modalities is likely poor.")
    if report.held_out < FEW_HELD_OUT:
        found.append(f"Only {report.held_out} overlap rows could be held out: all figures above are rough.")
    return tuple(found)
