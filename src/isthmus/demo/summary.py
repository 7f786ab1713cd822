"""The summary: one flat JSON object of dotted names to numbers, for scripts and for comparing runs."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping
from pathlib import Path

from isthmus.base.atomic import write_text_atomically
from isthmus.base.json_files import json_text
from isthmus.demo.code_stages import headline_figures
from isthmus.demo.stages import Outcome

ABLATION_FIGURES = ("r1", "mrr")


def summary(
    methods: Mapping[str, Outcome],
    ablation: Mapping[str, Outcome],
    codes: Mapping[str, Outcome],
    seconds: Mapping[str, float],
    total: float,
) -> dict[str, float]:
    """Every figure of a run by name; docs/demo.md explains the names.

    ``seconds`` are the times of the stages, ``total`` is that of this run.
    """
    figures: dict[str, float] = {}
    for name, outcome in methods.items():
        figures |= {f"connect.{name}.{figure}": value for figure, value in outcome["galleries"].items()}
        csls = outcome.get("galleries_csls", {})
        figures |= {f"connect.{name}_csls.{figure}": value for figure, value in csls.items()}
    for name, outcome in ablation.items():
        figures |= _ablation_figures(name, outcome["galleries"])
    if "full" in ablation:
        figures |= _ablation_figures("csls", ablation["full"]["galleries_csls"])
    for name, outcome in codes.items():
        prefix = "codes" if name == "paired" else f"codes.{name}"
        figures |= {f"{prefix}.{figure}": value for figure, value in headline_figures(outcome["figures"]).items()}
    figures |= {f"time.{name}_s": value for name, value in seconds.items()}
    figures["time.total_s"] = total
    figures["memory.peak_mb"] = peak_megabytes()
    return {name: round(value, 4) for name, value in figures.items()}


def _ablation_figures(variant: str, galleries: Mapping[str, float]) -> dict[str, float]:
    return {
        f"ablation.{variant}.{figure}": value
        for figure, value in galleries.items()
        if figure.count(".") == 1 and figure.split(".")[1] in ABLATION_FIGURES
    }


def write_summary(figures: Mapping[str, float], path: Path) -> None:
    """Write the summary atomically."""
    write_text_atomically(path, json_text(figures, indent=1))


def peak_megabytes() -> float:
    """The peak memory of this process in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
