"""One word per thing: pages, help texts and class names keep to docs/glossary.md."""

import re
from collections import Counter
from pathlib import Path

import pytest

import doc_pages

ROOT = doc_pages.DOCS.parent
PAGES = sorted(page for page in (ROOT / "README.md", *doc_pages.DOCS.rglob("*.md")) if page.name != "glossary.md")


def unwanted() -> list[str]:
    """The last column of the glossary's tables."""
    rows = re.findall(r"^\|.*\|([^|]*)\|$", (doc_pages.DOCS / "glossary.md").read_text(), re.MULTILINE)
    words = [word.strip() for row in rows for word in row.split(",")]
    return [word for word in words if word and word not in ("---", "Do not say")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_uses_the_words_of_the_glossary(page: Path) -> None:
    text = re.sub(r"^```.*?^```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    if page.name == "commands.md":
        text = page.read_text(encoding="utf-8")
    found = [word for word in unwanted() if re.search(rf"\b{re.escape(word)}s?\b", text, re.IGNORECASE)]
    assert found == []


def test_a_class_name_means_one_thing() -> None:
    sources = (ROOT / "src").rglob("*.py")
    names = Counter(name for file in sources for name in re.findall(r"^class ([A-Z]\w*)", file.read_text(), re.M))
    assert [name for name, count in names.items() if count > 1] == []
