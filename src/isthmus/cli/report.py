"""The report command."""

from pathlib import Path


def report(*results: Path, out: Path) -> None:
    """Set result files beside the published figures of their tasks: Markdown, HTML or LaTeX.

    Figures that were published by another protocol are marked. Every figure measured here comes with its coverage.

    Args:
        *results: Result files, or folders of them, as isthmus evaluate writes them.
        out: The file to write: .md, .html or .tex.
    """
    from isthmus.base.errors import IsthmusError
    from isthmus.evaluate.comparison import compare, result_files
    from isthmus.evaluate.comparison_page import write_comparison

    if not results:
        raise IsthmusError("missing RESULT: files or folders that isthmus evaluate wrote")
    tables = compare(result_files(results))
    write_comparison(tables, out)
    for table in tables:
        print(f"{table.name}: {len(table.rows)} rows")
    print(f"\nreport: {out}")
