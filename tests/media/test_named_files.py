"""Files that lists and tables name: where they may be, and which column has them."""

import json
from pathlib import Path

import pytest

import media_files
from isthmus.base.errors import IsthmusError
from isthmus.media import list_media, read_image
from listings import listed


def test_a_file_uri_is_unquoted(tmp_path: Path) -> None:
    path = media_files.write_image(tmp_path / "a b#1 100%.png")
    (tmp_path / "list.txt").write_text(f"{path.as_uri()}\nfile:{path.as_uri().removeprefix('file://')}\n")
    items = list(list_media(tmp_path / "list.txt", "image"))
    assert [read_image(item.source).size for item in items] == [(70, 48)] * 2
    (tmp_path / "list.txt").write_text("file://server/share/a.png\n")
    with pytest.raises(IsthmusError, match=r"entry 1: .* is on the machine 'server'"):
        listed(tmp_path / "list.txt", "image")


def test_a_caption_is_never_taken_for_a_path(tmp_path: Path) -> None:
    media_files.write_image(tmp_path / "1.png")
    (tmp_path / "t.csv").write_text("caption,filename\na dog,1.png\n")
    assert listed(tmp_path / "t.csv", "image")[0] == ["1.png"]
    (tmp_path / "t.csv").write_text("caption,picture\na dog,1.png\n")
    with pytest.raises(IsthmusError, match=r"it has caption, picture\): choose a column with --column"):
        listed(tmp_path / "t.csv", "image")
    assert listed(tmp_path / "t.csv", "image", column="picture")[0] == ["1.png"]


def test_a_table_reads_no_local_file_outside_its_folder_unless_allowed(tmp_path: Path) -> None:
    secret = media_files.write_image(tmp_path / "secret.png")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link.png").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path)
    names = [str(secret), "../secret.png", "link.png", "linked/secret.png", secret.as_uri(), f"local://{secret}"]
    for name in names:
        (folder / "t.jsonl").write_text(json.dumps({"path": "a.png"}) + "\n" + json.dumps({"path": name}))
        with pytest.raises(IsthmusError, match=r"t\.jsonl: entry 2: .* is outside .*in: .*--allow-outside"):
            listed(folder / "t.jsonl", "image")
        items = list(list_media(folder / "t.jsonl", "image", allow_outside=True))
        assert read_image(items[1].source).size == (70, 48)


@pytest.mark.parametrize(
    ("name", "message"), [("a\\u0000.png", "entry 1: .* cannot be a path"), ("\\ud800.png", "line 1 .*surrogate")]
)
def test_a_name_that_cannot_be_a_path_is_refused_with_its_row(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "t.jsonl").write_text(f'{{"path": "{name}"}}\n')
    with pytest.raises(IsthmusError, match=rf"t\.jsonl: {message}"):
        listed(tmp_path / "t.jsonl", "image")
