"""Descriptions of tasks: complete, valid, with names that cannot be mistaken."""

from dataclasses import replace

import pytest

from isthmus.base.errors import IsthmusError
from isthmus.evaluate.tasks import PUBLIC, task_named, tasks

PAPERS_A = {
    ("audiocaps", "C-MCR", "r1"): 15.76,
    ("clotho", "C-MCR", "r1"): 8.37,
    ("vggss-retrieval", "C-MCR", "r1"): 1.94,
    ("flickr-soundnet-retrieval", "C-MCR", "r5"): 5.97,
    ("coco", "C-MCR", "r1"): 16.67,
    ("modelnet40", "C-MCR", "top1"): 64.9,
    ("vggss-localisation", "C-MCR", "ciou"): 48.08,
    ("music-solo-localisation", "C-MCR", "ciou"): 53.78,
    ("ex-vggss", "C-MCR", "ap"): 50.91,
    ("ex-flickrnet", "C-MCR", "ap"): 73.67,
    ("objaverse-lvis-retrieval", "C-MCR", "r1"): 1.36,
    ("msrvtt", "C-MCR, au→te→vi", "map"): 8.5,
    ("msrvtt", "C-MCR, vi→te→au", "map"): 9.8,
}


@pytest.mark.parametrize("key", PAPERS_A)
def test_a_task_has_the_papers_figures(key: tuple[str, str, str]) -> None:
    name, model, metric = key
    figures = [
        own.figures[metric] for own in task_named(name).published if own.model == model and metric in own.figures
    ]
    assert figures == [PAPERS_A[key]]


def test_every_benchmark_of_the_papers_has_a_task() -> None:
    assert len(tasks()) == 28
    assert {task.kind for task in tasks().values()} == {
        "retrieval", "zero-shot", "localisation", "counterfactual", "generalisation", "pretraining"
    }  # fmt: skip


def test_figures_of_a_faulty_protocol_are_marked() -> None:
    for name in ("cmg-ave", "cmg-avvp"):
        assert {own.protocol for own in task_named(name).published} == {PUBLIC}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "VGG SS"}, "a name of lower-case words joined by hyphens"),
        ({"modalities": ("smell",)}, "modalities of text, image, audio, video, points"),
        ({"metrics": ("r1", "r1")}, "distinct metrics"),
        ({"metrics": ("r10",)}, r"published figures of its own metrics \(r1, r5"),
    ],
)
def test_an_invalid_description_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(IsthmusError, match=message):
        replace(task_named("vggss-retrieval"), **change)


@pytest.mark.parametrize("change", [{"licence": ""}, {"url": "http://x"}, {"gigabytes": 0.0}, {"layout": ()}])
def test_data_without_licence_place_size_or_layout_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(IsthmusError, match="correct its description"):
        replace(task_named("vggss-retrieval").data, **change)


def test_an_unknown_task_is_asked_about() -> None:
    with pytest.raises(IsthmusError, match=r"unknown task 'vgss-retrieval': did you mean vggss-retrieval\?"):
        task_named("vgss-retrieval")
