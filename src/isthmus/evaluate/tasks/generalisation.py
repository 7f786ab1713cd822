"""Cross-modal generalisation: a head on the codes of one modality, tested on the other (papers B)."""

from __future__ import annotations

from functools import partial

from isthmus.evaluate.annotations import events
from isthmus.evaluate.tasks.task import PUBLIC, DataSet, Published, Task

MODALITIES = ("image", "audio")
SOURCE = "CMG benchmark"
STREAMS = "tokens: sets that isthmus embed --tokens wrote, with the ids of the clips"
TEN_CLASSES = "research use, as published by their authors; clips are YouTube's"
CLIP_GIGABYTES = 0.001
"""About what ten seconds of audio and ten frames need."""


def _published(metric: str, of_model: dict[str, tuple[float, float]]) -> tuple[Published, ...]:
    return tuple(
        Published(model, {metric: value}, SOURCE, way, PUBLIC)
        for model, both in of_model.items()
        for way, value in zip(("image_to_audio", "audio_to_image"), both, strict=True)
    )


def _pretraining(size: str, clips: int, table: str) -> Task:
    """The clips that codes are pretrained on; --listing writes tables of them, nothing is scored."""
    return Task(
        f"vggsound-avel-{size}",
        "Clips to pretrain codes on (write tables of them with --listing)",
        "pretraining",
        MODALITIES,
        ("clips",),
        DataSet(
            f"VGGSound-AVEL {size.upper()}",
            "CC BY 4.0 (VGGSound); clips are YouTube's",
            "https://github.com/jasongief/CPSP",
            round(clips * CLIP_GIGABYTES, 0),
            (table, "VggsoundAVEL40kCategories.txt", "frames/<video>/*.jpg", "audio/<video>.wav"),
            clips,
            (table, "VggsoundAVEL40kCategories.txt"),
        ),
        partial(events.read_avel, size=size),
        notes=("The published 24K are the train clips of 40K.",) if size == "24k" else (),
    )


TASKS = (
    _pretraining("24k", 24515, "vggsound-avel40k.csv"),
    _pretraining("40k", 40801, "vggsound-avel40k.csv"),
    _pretraining("90k", 87323, "vggsound-avel90k-new.csv"),
    Task(
        "cmg-ave",
        "Which of 28 events a clip shows, by a head that learned it from the other modality",
        "generalisation",
        MODALITIES,
        ("accuracy",),
        DataSet("AVE", TEN_CLASSES, events.AVE, 4.0, ("Annotations.txt", STREAMS), 4097, ("Annotations.txt",)),
        events.read_ave,
        _published(
            "accuracy",
            {
                "CMCM, 24K": (28.9, 35.9),
                "CMCM, 40K": (32.7, 36.8),
                "CMCM, 90K": (30.5, 33.7),
                "DCID + CMCM, 24K": (34.1, 38.8),
                "DCID + CMCM, 40K": (36.4, 42.9),
                "Uni-Code, 24K": (44.0, 49.7),
                "Uni-Code, 40K": (47.7, 52.3),
            },
        ),
        ("The benchmark's public code scores training clips, at the epoch that is best on them: --protocol public.",),
    ),
    Task(
        "cmg-avvp",
        "What each second of a clip shows, by a head that learned it from the other modality",
        "generalisation",
        MODALITIES,
        ("precision", "recall", "f1"),
        DataSet(
            "AVVP (LLP)",
            TEN_CLASSES,
            "https://github.com/YapengTian/AVVP-ECCV20",
            12.0,
            (
                "AVVP_eval_visual_checked_combined.csv",
                "AVVP_eval_audio_checked_combined.csv",
                "AVVP_Categories.txt",
                STREAMS,
            ),
            None,
            ("AVVP_eval_visual_checked_combined.csv", "AVVP_eval_audio_checked_combined.csv", "AVVP_Categories.txt"),
        ),
        events.read_avvp,
        _published(
            "precision",
            {
                "CMCM, 24K": (42.6, 50.4),
                "CMCM, 40K": (41.9, 45.1),
                "CMCM, 90K": (38.4, 43.9),
                "DCID + CMCM, 24K": (57.6, 60.8),
                "DCID + CMCM, 40K": (58.7, 62.8),
                "Uni-Code, 24K": (61.9, 65.7),
                "Uni-Code, 40K": (64.0, 65.6),
            },
        ),
    ),
    Task(
        "cmg-ave-avvp",
        "What each second of an AVVP clip shows, by a head that learned it from the other modality of AVE",
        "generalisation",
        MODALITIES,
        ("f1", "precision", "recall"),
        DataSet(
            "AVE and the part of AVVP with its classes",
            TEN_CLASSES,
            events.CMG,
            16.0,
            (
                "Annotations.txt",
                "AVE_AVVP_eval_visual_checked_combined.csv",
                "AVE_AVVP_eval_audio_checked_combined.csv",
                "AVE_AVVP_Categories.txt",
                STREAMS,
            ),
            None,
            (
                "Annotations.txt",
                "AVE_AVVP_eval_visual_checked_combined.csv",
                "AVE_AVVP_eval_audio_checked_combined.csv",
                "AVE_AVVP_Categories.txt",
            ),
        ),
        events.read_ave_avvp,
        notes=("Dog is AVE's Bark and Car its Race car, auto racing; this mapping is ours.",),
    ),
    Task(
        "cmg-ucf-vggsound",
        "Which class a silent video or an audio clip shows, by a head that learned it from the other",
        "generalisation",
        MODALITIES,
        ("accuracy",),
        DataSet(
            "UCF101 and VGGSound-AVEL",
            TEN_CLASSES,
            events.CMG,
            14.0,
            (
                "ucf2vggsound.csv",
                "vggsound2ucf.csv",
                "UCF101sameVGGSound.txt",
                "VGGSoundsameUCF101.txt",
                STREAMS,
            ),
            None,
            ("ucf2vggsound.csv", "vggsound2ucf.csv", "UCF101sameVGGSound.txt", "VGGSoundsameUCF101.txt"),
        ),
        events.read_ucf_vggsound,
        notes=("Of the 16 names listed, UCF101 has no bowling and VGGSound no frisbee: 14 are shared.",),
    ),
)
