"""Report: figures, pictures and sounds go in, one self-contained HTML page comes out that opens offline.

`tables`, `plots` and `examples` each make fragments of HTML; `page` puts them together in sections.
"""

from isthmus.report.examples import Example, Found, examples, picture, sound
from isthmus.report.page import Page, Section, render, write_page
from isthmus.report.plots import Cloud, cloud_panels, grouped_bars
from isthmus.report.tables import Row, Table, table

__all__ = [
    "Cloud",
    "Example",
    "Found",
    "Page",
    "Row",
    "Section",
    "Table",
    "cloud_panels",
    "examples",
    "grouped_bars",
    "picture",
    "render",
    "sound",
    "table",
    "write_page",
]
