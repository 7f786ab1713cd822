"""Fixtures of the connecting tests."""

import pytest
from two_views import DrawTwoViews, draw


@pytest.fixture
def draw_two_views() -> DrawTwoViews:
    return draw
