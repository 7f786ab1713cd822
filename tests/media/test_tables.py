"""Tables and lists people have: ids, cells of any type, csv and tsv, read right or refused by name."""

import csv
from pathlib import Path

import pytest

from isthmus.base.errors import IsthmusError
from isthmus.media import list_media
from listings import listed, texts, write_parquet


def test_an_id_in_two_tables_is_refused_naming_both(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,caption\n0,a dog\n1,a cat\n")
    (tmp_path / "b.csv").write_text("id,caption\n0,rain\n1,wind\n")
    with pytest.raises(IsthmusError, match=r"'0' occurs twice \(.*b\.csv, entry 1, and .*a\.csv, entry 1\)"):
        texts(tmp_path, id_column="id")
    (tmp_path / "c.csv").write_text("id,caption\nx,a dog\nx,a cat\n")
    with pytest.raises(IsthmusError, match=r"'x' occurs twice \(.*c\.csv, entries 1 and 2\)"):
        texts(tmp_path / "c.csv", id_column="id")


def test_a_text_is_its_own_id_though_a_column_looks_like_ids(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,caption\n0,a dog\n1,rain\n")
    (tmp_path / "t.jsonl").write_text('{"text": "wind", "uid": 7}\n')
    write_parquet(tmp_path / "t.parquet", {"key": [0], "caption": ["snow"]})
    for suffix, ids, column in (
        ("csv", ["a dog", "rain"], "id"),
        ("jsonl", ["wind"], "uid"),
        ("parquet", ["snow"], "key"),
    ):
        found, left_out = listed(tmp_path / f"t.{suffix}", "text")
        assert (found, left_out.ids) == (ids, f"the texts; --id-column {column} takes that column")
    found, left_out = listed(tmp_path / "t.csv", "text", id_column="id")
    assert (found, left_out.ids) == (["0", "1"], "column 'id'")
    (tmp_path / "plain.csv").write_text("caption\na dog\n")
    assert listed(tmp_path / "plain.csv", "text")[1].ids == ""


def test_the_listing_says_where_the_ids_of_media_are_from(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,url\n3,s3://bucket/a.png\n")
    found, left_out = listed(tmp_path / "t.csv", "image")
    assert (found, left_out.ids) == (["s3://bucket/a.png"], "the paths; --id-column id takes that column")
    cells = write_parquet(tmp_path / "t.parquet", {"key": ["k"], "image": [b"x"]})
    found, left_out = listed(cells, "image")
    assert (found, left_out.ids) == (["k"], "column 'key'")


@pytest.mark.parametrize("modality", ["text", "image"])
def test_floats_and_empty_cells_are_refused_as_ids(modality: str, tmp_path: Path) -> None:
    column, cell = ("caption", "rain") if modality == "text" else ("image", b"x")
    for id_cell, says in ((3.0, r"entry 1: 'id' is 3\.0, a float"), (None, "entry 1 has no 'id'"), ("", "has no 'id'")):
        table = write_parquet(tmp_path / "t.parquet", {"id": [id_cell], column: [cell]})
        with pytest.raises(IsthmusError, match=says):
            listed(table, modality, id_column="id")


def test_a_table_without_rows_or_with_another_separator_is_refused_as_such(tmp_path: Path) -> None:
    for content, says in (
        ("", "has no rows"),
        ("id,caption\n", "has no rows"),
        ("id,caption\n1,\n2,\n", "all 2 entries are empty"),
        ("id;caption\n1;a dog, brown\n", r"t\.csv: the separator is ';', not a comma .*convert it to commas"),
        ("id\tcaption\n1\ta dog\n", r"the separator is '\\t', not a comma .*name it \.tsv"),
    ):
        (tmp_path / "t.csv").write_text(content)
        with pytest.raises(IsthmusError, match=says):
            texts(tmp_path / "t.csv")


def test_a_text_that_is_its_own_id_is_taken_once_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("rain\nwind\nrain\n")
    (tmp_path / "b.csv").write_text("caption\nwind\nsnow\n\n  \n")
    ids, left_out = listed(tmp_path, "text")
    assert ids == ["rain", "wind", "snow"]
    assert (left_out.doubled, left_out.empty) == (2, 1)


def test_bytes_are_decoded_and_other_cells_are_refused(tmp_path: Path) -> None:
    cells = {"id": [b"caf\xc3\xa9", b"b"], "caption": ["été".encode(), b"a dog"]}
    table = write_parquet(tmp_path / "t.parquet", cells)
    assert texts(table, id_column="id") == [("café", "été"), ("b", "a dog")]
    for cells, says in (
        ({"caption": [["a dog", "a brown dog"]]}, r"entry 1: 'caption' is a list, not one text"),
        ({"caption": [{"en": "a dog"}]}, r"entry 1: 'caption' is a dict, not one text"),
        ({"caption": [b"x", b"\xff"]}, r"entry 2: 'caption' is bytes that are not UTF-8"),
        ({"id": [["a"]], "caption": ["x"]}, r"entry 1: 'id' is a list"),
        ({"id": [float("nan")], "caption": ["x"]}, r"entry 1 has no 'id'"),
        ({"caption": [True]}, r"is a bool"),
    ):
        table = write_parquet(tmp_path / "t.parquet", cells)
        with pytest.raises(IsthmusError, match=says):
            texts(table, id_column="id" if "id" in cells else None)
    (tmp_path / "t.jsonl").write_text('{"text": "a"}\n{"text": ["b", "c"]}\n')
    with pytest.raises(IsthmusError, match=r"t\.jsonl: entry 2: 'text' is a list"):
        texts(tmp_path / "t.jsonl")
    (tmp_path / "t.jsonl").write_text('{"text": "a", "id": 7}\n{"text": NaN, "id": 8}\n{"text": null, "id": 9}\n')
    ids, left_out = listed(tmp_path / "t.jsonl", "text", id_column="id")
    assert (ids, left_out.empty) == (["7"], 2)


def test_numbers_of_classes_are_read_as_their_names(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"label": datasets.ClassLabel(names=["dog", "cat"])})
    made = datasets.Dataset.from_dict({"label": [1, 0, 1]}, features=features)
    made.to_parquet(tmp_path / "t.parquet")
    made.save_to_disk(tmp_path / "saved")
    for place in ("t.parquet", "saved"):
        assert texts(tmp_path / place) == [("cat", "cat"), ("dog", "dog")]


def test_a_tsv_has_no_quotes(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text('id\ttext\n1\t"a dog barks\n2\tbirds sing\n3\tit said "x"\n')
    assert texts(tmp_path / "t.tsv", id_column="id") == [
        ("1", '"a dog barks'),
        ("2", "birds sing"),
        ("3", 'it said "x"'),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('id,text\n1,a\n2,"open\n3,b\n4,c\n', "begins on line 3 is not CSV"),
        ('id,text\n1,"a" dog\n', "begins on line 2 is not CSV"),
        ("id,text\n1,a\n2,a dog, brown\n", "line 3 has 3 fields, the header has 2: quote a text"),
        ("text,text\na,b\n", "the header has 'text' twice"),
    ],
)
def test_a_malformed_csv_is_refused_with_its_line(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(IsthmusError, match=says):
        texts(tmp_path / "t.csv")


def test_a_csv_may_quote_commas_quotes_and_lines(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('id,text,\n1,"a, b",\n2,"say ""x""\nand y",\n3,plain,\n')
    assert texts(tmp_path / "t.csv", id_column="id") == [("1", "a, b"), ("2", 'say "x"\nand y'), ("3", "plain")]


def test_a_long_text_in_a_csv_is_read_and_the_limit_of_the_module_stays(tmp_path: Path) -> None:
    limit, long = csv.field_size_limit(), "a dog " * 100_000
    (tmp_path / "t.csv").write_text(f"caption\n{long}\nrain\n")
    for text in list_media(tmp_path / "t.csv", "text"):
        assert csv.field_size_limit() == limit
        assert text.text in (long, "rain")
