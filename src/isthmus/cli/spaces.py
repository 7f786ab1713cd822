"""The spaces command."""

from collections.abc import Iterator, Sequence


def spaces() -> None:
    """List the encoders: modalities, dimension, licence, default checkpoint, and how to install what is missing."""
    from isthmus.spaces.registry import families

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
    print("\n".join(_aligned(rows)))


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows as lines, with columns of equal width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
