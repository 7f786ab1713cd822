"""Readers of annotation files: every row of the real files, and small files with what goes wrong in them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from isthmus.base.errors import IsthmusError
from isthmus.evaluate.annotations import captions, classes, events, flickr, music, vggss
from isthmus.evaluate.annotations.data import DataItem, Pairs, Samples
from isthmus.evaluate.annotations.folder import DataFolder
from isthmus.metrics import Event


def folder_of(place: Path, **files: str) -> DataFolder:
    """A folder with files; ``a__b`` in a name is ``a.b``."""
    for name, content in files.items():
        (place / name.replace("__", ".")).write_text(content)
    return DataFolder(place)


@pytest.fixture
def real(shared_data: Path) -> Callable[[str], DataFolder]:
    return lambda name: DataFolder(shared_data / name)


def test_vggss_has_18_boxes_without_an_area_in_5158_frames(real: Callable[[str], DataFolder]) -> None:
    found = vggss.read_extended(real("benchmarks/vggss"))
    assert [sum(own.positive == kind for own in found.samples) for kind in (True, False)] == [5158, 5158]
    assert found.account.left_out == {"box without an area": 18}
    assert found.account.noted["negative with the clip's own sound"] == 379
    assert sum(own.positive and not any(own.boxes) for own in found.samples) == 2
    assert len(vggss.read_pairs(real("benchmarks/vggss")).sides["audio"]) == 5158


@pytest.mark.parametrize(("read", "rows", "boxes"), [(music.read_solo, 2124, 2124), (music.read_duet, 1020, 2040)])
def test_music_boxes_are_left_top_width_height(
    real: Callable[[str], DataFolder], read: Callable[[DataFolder], Samples], rows: int, boxes: int
) -> None:
    found = read(real("benchmarks/music"))
    assert (len(found.samples), found.account.rows, dict(found.account.left_out)) == (rows, rows, {})
    every = [box for own in found.samples for annotator in own.boxes for box in annotator]
    assert len(every) == boxes
    # Read as corners, hundreds of these boxes would have no area; read as sizes, all lie inside their image.
    assert all(0 <= box[0] < box[2] <= 1.0001 and 0 <= box[1] < box[3] <= 1.0001 for box in every)


@pytest.mark.parametrize(
    ("place", "name", "rows", "negatives"),
    [
        pytest.param("benchmarks/music", "solotest.json", 13472, 1116, marks=pytest.mark.slow),
        pytest.param("benchmarks/music", "duettest.json", 11512, 1228, marks=pytest.mark.slow),
        ("benchmarks/audioset_instrument", "audioset_box.json", 4503, 30),
    ],
)
def test_frames_by_path_are_read(
    real: Callable[[str], DataFolder], place: str, name: str, rows: int, negatives: int
) -> None:
    found = music.read_frames(real(place), name)
    assert (len(found.samples), dict(found.account.left_out)) == (rows, {})
    assert sum(not own.positive for own in found.samples) == negatives


@pytest.mark.parametrize(
    ("place", "read", "items", "texts"),
    [
        ("captions/audiocaps", lambda own: captions.read_audiocaps(own), 957, 4785),
        ("captions/audiocaps", lambda own: captions.read_audiocaps(own, "val"), 494, 2470),
        pytest.param(
            "captions/audiocaps",
            lambda own: captions.read_audiocaps(own, "train"),
            49274,
            49274,
            marks=pytest.mark.slow,
        ),
        ("captions/clotho", lambda own: captions.read_clotho(own), 1045, 5225),
        ("captions/clotho", lambda own: captions.read_clotho(own, "train"), 3839, 19195),
    ],
)
def test_every_caption_is_read(
    real: Callable[[str], DataFolder], place: str, read: Callable[[DataFolder], Pairs], items: int, texts: int
) -> None:
    found = read(real(place))
    assert {name: len(own) for name, own in found.sides.items()} == {"audio": items, "text": texts}
    assert not found.account.left_out


def test_ave_has_4097_clips_of_which_46_are_annotated_twice(real: Callable[[str], DataFolder]) -> None:
    pairs = events.read_ave_pairs(real("benchmarks/ave"))
    assert (len(pairs.sides["image"]), pairs.account.rows) == (4097, 4143)
    streams = events.read_ave(real("benchmarks/ave"))
    assert len(streams.classes) == 28
    assert streams.account.left_out == {"event without a length": 1}
    assert len(streams.by_modality["audio"]) == 4096  # the one event of a clip has no length


def test_the_splits_of_ave_are_those_of_its_lists(tmp_path: Path) -> None:
    rows = {name: f"Bark&{name * 11}&good&0&{length}" for name, length in (("a", 10), ("b", 5), ("c", 10))}
    every = "\n".join(["Category&VideoID&Quality&StartTime&EndTime", *rows.values()])
    lists = {"trainSet__txt": rows["c"], "valSet__txt": rows["a"], "testSet__txt": rows["b"]}
    found = events.read_ave(folder_of(tmp_path, Annotations__txt=every, **lists))
    assert [own.split for own in found.by_modality["audio"]] == ["dev", "test", "train"]
    assert not found.account.noted
    (tmp_path / "trainSet.txt").unlink()
    (tmp_path / "valSet.txt").unlink()
    (tmp_path / "testSet.txt").unlink()
    assert "because trainSet.txt is absent" in next(iter(events.read_ave(DataFolder(tmp_path)).account.noted))


def test_avvp_events_are_split_by_clip_and_class(real: Callable[[str], DataFolder]) -> None:
    found = events.read_avvp(real("benchmarks/avvp"))
    assert (len(found.classes), found.account.rows) == (25, 1661 + 1846)
    assert {name: len(own) for name, own in found.by_modality.items()} == {"image": 1661, "audio": 1844}
    assert found.account.left_out == {"event without a length": 5}
    blender, speech = found.classes.index("Blender"), found.classes.index("Speech")
    clip = next(own for own in found.by_modality["audio"] if own.entry.id == "KSRjje7GH44_60_70")
    assert clip.events == (Event(blender, 8, 10), Event(speech, 0, 8))


def test_ave_teaches_the_twelve_classes_that_avvp_shares(shared_data: Path) -> None:
    part = events.read_ave_avvp(DataFolder(shared_data / "benchmarks/ave_avvp", shared_data / "benchmarks/ave"))
    assert {name: len(own) for name, own in part.by_modality.items()} == {"image": 1032, "audio": 1085}
    assert {event.label for own in part.taught["audio"] for event in own.events} == set(range(12))
    assert part.account.rows == 1032 + 1085 + 4143


@pytest.mark.parametrize(
    ("size", "clips", "rows"), [("24k", 24515, 40801), pytest.param("90k", 87323, 87323, marks=pytest.mark.slow)]
)
def test_clips_for_pretraining_are_read(real: Callable[[str], DataFolder], size: str, clips: int, rows: int) -> None:
    found = events.read_avel(real("benchmarks/vggsound_avel"), size)
    assert (len(found.by_modality["audio"]), len(found.classes), found.account.rows) == (clips, 141, rows)
    assert not found.account.left_out


def test_classes_that_one_modality_lacks_are_counted(real: Callable[[str], DataFolder]) -> None:
    found = events.read_ucf_vggsound(real("benchmarks/ucf_vggsound"))
    assert len(found.classes) == 14
    assert sum(found.account.left_out.values()) + sum(map(len, found.by_modality.values())) == 2003 + 4813


def test_flickr_pairs_and_negatives_are_read(real: Callable[[str], DataFolder]) -> None:
    found = flickr.read_pairs(real("benchmarks/flickr_soundnet"))
    assert (len(found.sides["image"]), dict(found.account.left_out)) == (250, {})
    with pytest.raises(IsthmusError, match=r"has no boxes \(<id>.xml, 250 files\): get Annotations.zip from https"):
        flickr.read_boxes(real("benchmarks/flickr_soundnet"))


FLICKR_XML = """<annotations>
 <annotator><bbox><name>a</name><xmin>64</xmin><ymin>0</ymin><xmax>128</xmax><ymax>256</ymax></bbox></annotator>
 <annotator><bbox><name>b</name><xmin>64</xmin><ymin>0</ymin><xmax>64</xmax><ymax>256</ymax></bbox></annotator>
</annotations>"""


def test_flickr_boxes_are_pixels_of_256_by_annotator(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, flickr_test__csv="77,0\n88,0\n", **{"77__xml": FLICKR_XML})
    found = flickr.read_boxes(folder)
    assert [own.boxes for own in found.samples] == [(((0.25, 0.0, 0.5, 1.0),), ())]
    assert found.account.left_out == {"box without an area": 1, "frame without a file of boxes": 1}


def test_empty_captions_and_odd_rows_are_counted(tmp_path: Path) -> None:
    rows = "file_name,caption_1,caption_2\na.wav,a dog,\nb.wav,  ,a cat\nc.wav,too,many,fields\n"
    found = captions.read_clotho(folder_of(tmp_path, test__csv=rows))
    assert [own.text for own in found.sides["text"]] == ["a dog", "a cat"]
    assert found.account.left_out == {"empty caption": 2, "4 fields where 3 belong": 1}
    assert found.account.examples["4 fields where 3 belong"] == ["test.csv: line 4"]
    assert found.account.rows == 3


def test_one_row_per_caption_is_the_other_form_of_audiocaps(tmp_path: Path) -> None:
    rows = "audiocap_id,youtube_id,start_time,caption\n1,abcdefghijk,30,a dog\n2,abcdefghijk,30,barking\n"
    found = captions.read_audiocaps(folder_of(tmp_path, test__csv=rows))
    assert [(own.group, own.text) for own in found.sides["text"]] == [
        ("abcdefghijk", "a dog"),
        ("abcdefghijk", "barking"),
    ]
    assert "abcdefghijk_30000_40000" in found.sides["audio"][0].names


def test_coco_and_flickr30k_are_read(tmp_path: Path) -> None:
    coco = {
        "images": [{"id": 1, "file_name": "1.jpg"}, {"id": 2, "file_name": "2.jpg"}],
        "annotations": [{"image_id": 2, "caption": "two "}, {"image_id": 9, "caption": "none"}],
    }
    karpathy = {
        "images": [
            {"filename": "a.jpg", "split": "test", "sentences": [{"raw": "x"}, {"raw": "y"}]},
            {"filename": "b.jpg", "split": "train", "sentences": [{"raw": "z"}]},
        ]
    }
    folder = folder_of(tmp_path, captions_val2017__json=json.dumps(coco), dataset_flickr30k__json=json.dumps(karpathy))
    found = captions.read_coco(folder)
    assert [(own.group, own.text) for own in found.sides["text"]] == [("2.jpg", "two")]
    assert found.account.left_out == {"caption of an image that is not listed": 1}
    assert [own.text for own in captions.read_flickr30k(folder).sides["text"]] == ["x", "y"]


def test_sounds_with_several_classes_are_read(tmp_path: Path) -> None:
    names = 'index,mid,display_name\n0,/m/1,"Dog, puppy"\n1,/m/2,Cat\n'
    rows = '# YTID, start, end, labels\nabcdefghijk, 30.000, 40.000, "/m/2,/m/1"\nbcdefghijkl, 0.000, 10.000, "/m/9"\n'
    found = classes.read_audioset(folder_of(tmp_path, class_labels_indices__csv=names, eval_segments__csv=rows))
    assert found.classes == ["Dog, puppy", "Cat"]
    assert found.labels == [(1, 0)]
    assert found.account.left_out == {"segment without a known class": 1}
    assert "abcdefghijk_30_40" in found.entries[0].names


def test_shapes_are_found_in_folders_named_after_classes(
    tmp_path: Path, real: Callable[[str], DataFolder], shared_data: Path
) -> None:
    for place in ("night_stand/test/night_stand_0201.off", "car/train/car_0001.off", "car/test/car_0198.off"):
        path = tmp_path / "ModelNet40" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("OFF")
    found = classes.read_modelnet40(DataFolder(tmp_path, shared_data / "labels"))
    assert {own.id: found.classes[label[0]] for own, label in zip(found.entries, found.labels, strict=True)} == {
        "night_stand_0201": "night stand",
        "car_0198": "car",
    }
    assert len(found.templates) == 64


def media_in(place: Path, *names: str) -> DataFolder:
    for name in names:
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return DataFolder(place)


def test_frames_and_sounds_of_a_clip_meet_whatever_their_folders(tmp_path: Path) -> None:
    folder = media_in(tmp_path, "f/zpWuikVorYg_000032.jpg", "a/x/zpWuikVorYg_32.wav", "v/zpWuikVorYg_000032.mp4")
    entry = vggss.read_pairs(folder_of(tmp_path, vggss_test__csv="zpWuikVorYg_000032\n")).sides["image"][0]
    assert folder.media("image").of(entry) == tmp_path / "f/zpWuikVorYg_000032.jpg"
    assert folder.media("video").of(entry) == tmp_path / "v/zpWuikVorYg_000032.mp4"
    # The sound of its usual name is the video's track; a file of its own with another name does not shadow it.
    assert folder.media("audio").of(entry) == tmp_path / "v/zpWuikVorYg_000032.mp4"


def test_the_middle_frame_of_a_folder_stands_for_a_clip(tmp_path: Path) -> None:
    folder = media_in(tmp_path, *(f"frames/RUhOCu3LNXM/{number}.jpg" for number in range(1, 6)))
    assert folder.media("image").of(DataItem("a", "a", ("RUhOCu3LNXM",))) == tmp_path / "frames/RUhOCu3LNXM/3.jpg"


def test_vectors_of_a_set_beside_the_media_are_no_point_clouds(tmp_path: Path) -> None:
    folder = media_in(
        tmp_path, "bag/1.npy", "evaluation/sets/ulip/manifest.json", "evaluation/sets/ulip/points_emb/0.npy"
    )
    assert [path.name for path in folder.files] == ["1.npy"]


def test_html_entities_and_accents_in_names_do_not_matter(tmp_path: Path) -> None:
    folder = media_in(tmp_path, "rain&storm.wav", "cafe\u0301.wav")
    for name in ("rain&amp;storm", "caf\u00e9"):
        assert folder.media("audio").of(DataItem(name, name, (name,))) is not None


def test_files_of_two_data_sets_with_one_name_are_refused(tmp_path: Path) -> None:
    for place, content in (("clotho", "file_name,caption_1\n"), ("audiocaps", "file_name,caption\n")):
        (tmp_path / place).mkdir()
        (tmp_path / place / "test.csv").write_text(content)
    with pytest.raises(IsthmusError, match=r"has 2 different files named test.csv .*: give the folder of one data set"):
        DataFolder(tmp_path).find("test.csv")


def test_an_absent_file_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(IsthmusError, match=r"has no vggss.json: get it from https://www.robots"):
        vggss.read_boxes(DataFolder(tmp_path))
