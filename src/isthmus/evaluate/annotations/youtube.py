"""Names of files cut from YouTube videos: benchmarks, download scripts and people all write them differently."""

from __future__ import annotations


def clip_names(video: str, start: int | None = None, end: int | None = None) -> tuple[str, ...]:
    """The names that a clip's file may have, the usual ones first.

    Args:
        video: The id of the video, eleven characters.
        start: Where the clip begins, in seconds.
        end: Where it ends.

    Returns:
        Names without suffix.

    Example:
        >>> clip_names("zpWuikVorYg", 32)[:3]
        ('zpWuikVorYg_000032', 'zpWuikVorYg_32', 'zpWuikVorYg')
    """
    names = []
    if start is not None:
        names += [f"{video}_{start:06d}", f"{video}_{start}"]
        if end is not None:
            names += [f"{video}_{start}_{end}", f"{video}_{1000 * start}_{1000 * end}"]
    return tuple(own for name in [*names, video] for own in ((name, f"Y{name}") if name == video else (name,)))


def clip_of(name: str) -> tuple[str, int | None, int | None]:
    """The video, start and end in a name like ``zpWuikVorYg_000032`` or ``4YdbENYcIyE_23_33``.

    Example:
        >>> clip_of("-_-TDDxoaAc_000032"), clip_of("4Ydb_NYcIyE_23_33")
        (('-_-TDDxoaAc', 32, None), ('4Ydb_NYcIyE', 23, 33))
    """
    video, rest = name[:11], name[11:].lstrip("_").split("_")
    numbers = [int(part) for part in rest if part.isdecimal()]
    return video, numbers[0] if numbers else None, numbers[1] if len(numbers) > 1 else None
