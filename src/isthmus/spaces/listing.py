"""What `isthmus spaces` prints."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.spaces.registry import families


def described() -> Iterator[str]:
    """A line a family: modalities, dimension, licence, and whether it can be used."""
    rows = [("space", "modalities", "dim", "licence", "default checkpoint", "")]
    for family in families().values():
        rows.append(
            (
                family.name,
                ", ".join(family.modalities),
                str(family.dim or "any"),
                family.licence,
                family.checkpoint or f"give {family.name}:PATH",
                family.install if family.missing else "installed",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
