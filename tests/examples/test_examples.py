"""The example scripts run as they are and print what they say."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.slow
def test_the_ablation_of_a_loss_term_prints_a_table_over_three_seeds() -> None:
    script = EXAMPLES / "loss_term_ablation.py"
    assert len(script.read_text().splitlines()) <= 60
    done = subprocess.run([sys.executable, "-W", "error", script], check=True, capture_output=True, text=True)
    header, _, *rows = done.stdout.splitlines()
    assert header == "| weight | seed 0 | seed 1 | seed 2 | mean ± std |"
    table = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [row[0] for row in table] == ["0", "10", "100"]
    plain, _, strong = ([float(cell) for cell in row[1:4]] for row in table)
    chance = 100 / 200
    assert min(plain) > 20 * chance
    assert strong != plain
