"""Report: figures, images and audio go in, one self-contained HTML page comes out that opens offline.

`tables`, `plots`, `examples` and `heat` each make fragments of HTML; `page` puts them together in sections.
"""

from isthmus.report.examples import Answer, Example, audio_html, examples, image_html
from isthmus.report.heat import LocatedExample, heat_image, heat_waveform, located_examples
from isthmus.report.page import Page, Section, bullets, render, write_page
from isthmus.report.plots import Cloud, cloud_panels, grouped_bars
from isthmus.report.tables import CodeEntry, Row, Table, codes_table, table

__all__ = [
    "Answer",
    "Cloud",
    "CodeEntry",
    "Example",
    "LocatedExample",
    "Page",
    "Row",
    "Section",
    "Table",
    "audio_html",
    "bullets",
    "cloud_panels",
    "codes_table",
    "examples",
    "grouped_bars",
    "heat_image",
    "heat_waveform",
    "image_html",
    "located_examples",
    "render",
    "table",
    "write_page",
]
