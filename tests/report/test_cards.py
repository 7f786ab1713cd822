"""Cards of codes."""

import re

from isthmus.report import CodeCard, code_cards


def test_a_card_has_its_name_its_pieces_and_a_dash_where_a_modality_does_not_use_the_code() -> None:
    html = code_cards([
        CodeCard(7, "cats & dogs", {"image": 0.756, "text": None}, {"image": ["<img>", "<img>"], "audio": []}),
        CodeCard(2, "tree", {"image": 1.0, "text": 0.5}, {"image": [], "audio": ["<audio>"]}),
    ])  # fmt: skip
    first, second = re.findall(r"<article>.*?</article>", html)
    assert "cats &amp; dogs <small>code 7</small>" in first
    assert "<span>image 76</span> · <span>text –</span>" in first
    assert (first.count("<img>"), 'class="audio"' in first) == (2, False)
    assert '<div class="audio"><audio></div>' in second
