"""Plots as SVG inside the page: text and axes take the page's colour, so they suit light and dark mode."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#010203"
"""Placeholder for the page's text colour."""
COLOURS = ("#3b82f6", "#f59e0b", "#10b981", "#a855f7", "#ef4444", "#64748b")
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Cloud:
    """Points of one space, by modality, each ``(n, dim)``."""

    title: str
    points: Mapping[str, Float[np.ndarray, "_ dim"]]


def grouped_bars(
    values: Mapping[str, Mapping[str, float]], references: Mapping[str, float], reference_label: str, unit: str
) -> str:
    """A panel per group with a bar per series and a reference line; the axis starts at zero.

    Args:
        values: Group to series to value in percent.
        references: Group to the value of the reference line.
        reference_label: Label of the reference line.
        unit: Label of the value axis.

    Returns:
        The plot as HTML.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({**STYLE, "svg.hashsalt": "bars"}):
        series = list(next(iter(values.values())))
        figure = Figure(figsize=(9.6, 0.34 * len(series) + 1.3), layout="constrained")
        panels = figure.subplots(1, len(values), sharey=True, squeeze=False)[0]
        places = np.arange(len(series))[::-1]
        for panel, (group, bars) in zip(panels, values.items(), strict=True):
            heights = [bars[name] for name in series]
            panel.barh(places, heights, color=COLOURS[0], height=0.7)
            for place, height in zip(places, heights, strict=True):
                panel.text(height + 1, place, f"{height:.0f}", va="center", fontsize=9)
            panel.axvline(references[group], color=COLOURS[1], linewidth=2, linestyle="--", label=reference_label)
            panel.set(title=group, xlim=(0, 108), xlabel=unit)
            panel.set_yticks(places, series)
            panel.tick_params(axis="y", length=0)
        line = panels[0].get_lines()[:1]
        figure.legend(line, [reference_label], loc="outside lower right", fontsize=9)
        return svg(figure)


def cloud_panels(clouds: Sequence[Cloud]) -> str:
    """Each space on its first two principal axes, modalities in different colours, their means as large dots."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    modalities = list(dict.fromkeys(name for cloud in clouds for name in cloud.points))
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(modalities)}
    with mpl.rc_context({**STYLE, "svg.hashsalt": "clouds"}):
        figure = Figure(figsize=(9.6, 3.5), layout="constrained")
        panels = figure.subplots(1, len(clouds), squeeze=False)[0]
        for panel, cloud in zip(panels, clouds, strict=True):
            for name, points in _principal_plane(cloud.points).items():
                panel.scatter(*points.T, s=7, color=colours[name], alpha=0.45, linewidths=0, rasterized=True)
            for name, points in _principal_plane(cloud.points).items():
                panel.scatter(*points.mean(0), s=90, color=colours[name], edgecolors=INK, linewidths=1.5, label=name)
            panel.set(title=cloud.title, xticks=[], yticks=[], aspect="equal")
            panel.set_adjustable("datalim")
            panel.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3, fontsize=9, handletextpad=0.2)
        return svg(figure)


def svg(figure: Figure) -> str:
    """A figure as SVG that scales with the page and takes its text colour."""
    stored = io.StringIO()
    figure.savefig(stored, format="svg", metadata={"Date": None}, dpi=160)
    drawn = stored.getvalue()
    return f'<div class="plot">{drawn[drawn.index("<svg") :].replace(INK, "currentColor")}</div>'


def _principal_plane(points: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All points on the two axes of largest joint variance."""
    together = np.concatenate(list(points.values())).astype(np.float64)
    mean = together.mean(0)
    _, _, axes = np.linalg.svd(together - mean, full_matrices=False)
    return {name: (rows - mean) @ axes[:2].T for name, rows in points.items()}
