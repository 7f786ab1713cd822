"""Connectors of the demo: each method fitted, evaluated on every gallery, and kept as a stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from isthmus.base.progress import OnProgress
from isthmus.connectors.config import CcaConfig, CmcrConfig, MethodConfig
from isthmus.connectors.connect import ConnectInput, connect_prepared, prepare
from isthmus.connectors.connector import Connector
from isthmus.connectors.methods.cmcr import fit_cmcr
from isthmus.demo.methods import ABLATION_TEXTS, Baseline, ComparedMethod
from isthmus.demo.stages import Outcome, Stages
from isthmus.embeddings import Embeddings
from isthmus.evaluate import Matcher, by_cosine, by_csls, chain, evaluate_galleries, fit_oracle, soft_chain
from isthmus.worlds.world import World

CONNECTOR = "connector"
"""Folder of a stage's connector."""


@dataclass(frozen=True)
class ConnectorStages:
    """A world, where its stages are kept, the seed, and how training is reported."""

    world: World
    stages: Stages
    seed: int
    progress: bool | OnProgress = False

    @cached_property
    def prepared(self) -> ConnectInput:
        """The input of every method."""
        return prepare(self.world.left, self.world.right, self.world.overlap, self.seed)

    def method(self, name: str, method: ComparedMethod) -> Outcome:
        """Figures of a baseline, or of a connector with its report."""
        setting = method.setting
        if isinstance(setting, str):
            return self.stages.run(name, {"baseline": setting}, lambda _: self._baseline(setting))
        return self.stages.run(name, self.key(setting), lambda home: self._connector(setting, home))

    def oracle(self, name: str, method: ComparedMethod) -> Outcome:
        """Figures of projectors fitted to true pairs."""
        config = method.setting
        assert isinstance(config, CmcrConfig | CcaConfig)

        def compute(home: Path) -> Outcome:
            return self._figures(fit_oracle(self.world, config, seed=self.seed, progress=self.progress), home)

        return self.stages.run(name, self.key(config), compute)

    def variant(self, name: str, method: ComparedMethod) -> Outcome:
        """Figures of a variant of C-MCR for the ablation, fitted to fewer texts and without a report."""
        config = method.setting
        assert isinstance(config, CmcrConfig)

        def compute(home: Path) -> Outcome:
            texts = self.prepared.fitted.numpy()[:ABLATION_TEXTS]
            materials = self.prepared.materials.taken(texts)
            member = fit_cmcr(materials, config, seed=self.seed, progress=self.progress)
            spaces = materials.left.space, materials.right.space
            return self._figures(Connector(*spaces, self.world.overlap, (member,), (1.0,)), home)

        return self.stages.run(f"ablation_{name}", self.key(config), compute)

    def connector(self, name: str, method: ComparedMethod) -> Connector:
        """The connector of a finished stage."""
        assert not isinstance(method.setting, str)
        return Connector.load(self.stages.home(name, self.key(method.setting)) / CONNECTOR)

    def key(self, config: MethodConfig) -> Mapping[str, Any]:
        """Everything besides the world that determines a stage."""
        return {"method": type(config).__name__, "seed": self.seed, **asdict(config)}

    def _baseline(self, setting: Baseline) -> Outcome:
        match: Matcher
        if setting == "raw":
            left, right = self.world.left[self.world.overlap], self.world.right[self.world.overlap]
            if left.dim != right.dim:
                return {"galleries": {}}
            match = by_cosine(_as_if_one_space)
        else:
            match = chain(self.world) if setting == "chain" else soft_chain(self.world)
        return {"galleries": evaluate_galleries(match, self.world.galleries)}

    def _connector(self, config: MethodConfig, home: Path) -> Outcome:
        checkpoint = home / "training.checkpoint"
        connector = connect_prepared(self.prepared, config, None, checkpoint, self.progress)
        outcome = self._figures(connector, home)
        checkpoint.unlink(missing_ok=True)
        return outcome

    def _figures(self, connector: Connector, home: Path) -> Outcome:
        connector.save(home / CONNECTOR)
        report = connector.report
        return {
            "galleries": evaluate_galleries(by_cosine(connector.project), self.world.galleries),
            "galleries_csls": evaluate_galleries(by_csls(connector.project), self.world.galleries),
            "fingerprint": connector.fingerprint,
            "report": None if report is None else report.lines(),
            "choice": dict(connector.choice),
        }


def _as_if_one_space(rows: Embeddings) -> Embeddings:
    """The same rows in a space that both sides share: matchers refuse two spaces, which this baseline compares."""
    return rows.with_vectors(rows.vectors, space="raw")
