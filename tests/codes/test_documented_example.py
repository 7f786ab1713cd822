"""The Python example of docs/codes.md runs, with a shorter schedule."""

import re
from pathlib import Path

import pytest

import isthmus
from isthmus.codes.learning.pairs import CodeItems
from isthmus.codes.model.config import CodesConfig
from isthmus.connectors.config import ProcrustesConfig
from isthmus.training.config import OptimisationConfig

pytestmark = pytest.mark.slow
BRIEF = CodesConfig(codes=8, restarts=1, optimisation=OptimisationConfig(epochs=1, min_steps=5, batch_size=16))


@pytest.mark.filterwarnings("ignore:.*without a counterpart")
def test_the_documented_example_runs(sides: tuple[dict[str, CodeItems], dict[str, CodeItems]], capsys) -> None:
    text = (Path(__file__).parents[2] / "docs" / "codes.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    clip, clap = ({name: own.pooled for name, own in side.items()} for side in sides)
    connector = isthmus.connect(clip, clap, method=ProcrustesConfig())
    item = sides[1]["audio"].tokens.ids[0]
    hits = isthmus.Index(connector.project(clip["image"])).search(connector.project(sides[1]["audio"].pooled), k=5)
    names = {
        "isthmus": isthmus, "brief": BRIEF, "connector": connector, "hits": hits,
        "image_tokens": sides[0]["image"].tokens, "image_vectors": sides[0]["image"].pooled,
        "words_a": sides[0]["text"].tokens, "text_vectors_a": sides[0]["text"].pooled,
        "audio_tokens": sides[1]["audio"].tokens, "audio_vectors": sides[1]["audio"].pooled,
        "words_b": sides[1]["text"].tokens, "text_vectors_b": sides[1]["text"].pooled,
    }  # fmt: skip
    exec(example.replace("known.sources)", "known.sources, brief)").replace("clip-17", item), names)
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == sides[0]["image"].tokens.ids
    assert names["better"].ids.shape == hits.ids.shape
    assert len(names["assignment"]) == len(sides[0]["image"].tokens)
