"""Evaluate: galleries with known truth go in, figures come out, and stay on disk as one file each.

`matchers` (how queries are scored against items) → `galleries` (figures in percent) → `results` (files);
`baselines` are the matchers and the oracle that a connector is compared with; `zero_shot` names items by prompts.
"""

from isthmus.evaluate.baselines import chain, fit_oracle, soft_chain
from isthmus.evaluate.galleries import evaluate_galleries
from isthmus.evaluate.matchers import Matcher, by_cosine, by_csls
from isthmus.evaluate.results import TaskResult, read_result, write_result
from isthmus.evaluate.zero_shot import class_vectors, read_names, zero_shot_accuracy

__all__ = [
    "Matcher",
    "TaskResult",
    "by_cosine",
    "by_csls",
    "chain",
    "class_vectors",
    "evaluate_galleries",
    "fit_oracle",
    "read_names",
    "read_result",
    "soft_chain",
    "write_result",
    "zero_shot_accuracy",
]
