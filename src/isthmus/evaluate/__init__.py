"""Evaluate: galleries with known truth go in, figures come out and are kept on disk, one file per result.

`matchers` (scores of queries against items) → `galleries` (retrieval figures) → `results` (files). `baselines` are
what a connector is compared with, `zero_shot` classifies by prompts, `code_figures` and `generalisation` judge codes.
`mteb_encoder` lets MTEB's own tasks run on a connector. `tasks` describes the benchmarks of the papers, `annotations`
reads their files, `running` embeds and scores, `comparison` sets results beside published figures.
"""

from isthmus.evaluate.baselines import chain, fit_oracle, soft_chain
from isthmus.evaluate.galleries import evaluate_galleries
from isthmus.evaluate.matchers import Matcher, by_cosine, by_csls
from isthmus.evaluate.mteb_encoder import MtebEncoder, load_mteb_encoder
from isthmus.evaluate.results import TaskResult, read_result, write_result
from isthmus.evaluate.zero_shot import class_vectors, read_names, zero_shot_accuracy

__all__ = [
    "Matcher",
    "MtebEncoder",
    "TaskResult",
    "by_cosine",
    "by_csls",
    "chain",
    "class_vectors",
    "evaluate_galleries",
    "fit_oracle",
    "load_mteb_encoder",
    "read_names",
    "read_result",
    "soft_chain",
    "write_result",
    "zero_shot_accuracy",
]
