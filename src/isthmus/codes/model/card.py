"""The model card of a code model, written from the facts of its training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isthmus.spaces.licences import licence_of

if TYPE_CHECKING:
    from isthmus.codes.model.model import CodeModel

CARD = """---
library_name: isthmus
license: other
tags: [multimodal, discrete-codes, CMCM]
---
# {count} codes shared by {modalities}

Every token of these inputs is written as one of {count} codes, the same for all of them:

{views}

## Learned from

{sources}

## How well the codes are shared

{health}

No single figure proves sharing: read them together.

## Use

```python
import isthmus

model = isthmus.CodeModel.load("this folder")
codes = isthmus.assign_codes(model, tokens)  # isthmus.Tokens of one of the inputs above
```

Cross-Modal Discrete Representation Learning (Liu et al., ACL 2022, arXiv 2106.05438), as implemented by isthmus. The
licences of the encoders that made the tokens apply to what is derived from them:

{licences}
"""


def model_card(model: CodeModel) -> str:
    """The card as Markdown."""
    views = [
        f"- `{name}`: {view.modality} tokens of `{view.space}`, {view.dim}-d" for name, view in model.views.items()
    ]
    return CARD.format(
        count=len(model.codebook),
        modalities=", ".join(dict.fromkeys(view.modality for view in model.views.values())),
        views="\n".join(views),
        sources=_lines(model.facts.get("sources", [])),
        health=_lines(model.facts.get("health", [])),
        licences="\n".join(
            f"- `{space}`: {licence_of(space)}" for space in dict.fromkeys(view.space for view in model.views.values())
        ),
    )


def _lines(facts: list[str]) -> str:
    return "\n".join(f"- {fact}" for fact in facts) or "- not recorded"
