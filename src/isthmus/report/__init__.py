"""Report: figures, images and audio go in, one self-contained HTML page comes out that opens offline.

`tables`, `plots`, `meters`, `cards`, `examples`, `chains` and `heat` each make fragments of HTML; `page` puts them
together in sections.
"""

from isthmus.report.cards import CodeCard, code_cards
from isthmus.report.chains import Link, chains
from isthmus.report.examples import Answer, Example, audio_html, examples, image_html, thumbnail_html
from isthmus.report.heat import LocatedExample, heat_image, heat_waveform, located_examples
from isthmus.report.meters import Bar, Span, bars, histogram, scale
from isthmus.report.page import Page, Section, bullets, render, screen, steps, write_page
from isthmus.report.plots import Cloud, cloud_panels, grouped_bars
from isthmus.report.tables import Row, Table, table

__all__ = [
    "Answer",
    "Bar",
    "Cloud",
    "CodeCard",
    "Example",
    "Link",
    "LocatedExample",
    "Page",
    "Row",
    "Section",
    "Span",
    "Table",
    "audio_html",
    "bars",
    "bullets",
    "chains",
    "cloud_panels",
    "code_cards",
    "examples",
    "grouped_bars",
    "heat_image",
    "heat_waveform",
    "histogram",
    "image_html",
    "located_examples",
    "render",
    "scale",
    "screen",
    "steps",
    "table",
    "thumbnail_html",
    "write_page",
]
