"""Zero-shot classification of audio and images by the names of classes: ESC-50, AudioSet, ImageNet (papers A)."""

from __future__ import annotations

from isthmus.evaluate.annotations import classes
from isthmus.evaluate.tasks.task import DataSet, Task

TASKS = (
    Task(
        "esc50",
        "Name the class of an audio clip, of 50",
        "zero-shot",
        ("audio", "text"),
        ("top1", "top3", "top5"),
        DataSet(
            "ESC-50",
            "CC BY-NC 3.0",
            "https://github.com/karolpiczak/ESC-50",
            0.9,
            ("meta/esc50.csv", "audio/<clip>.wav"),
            2000,
            ("esc50.csv",),
        ),
        classes.read_esc50,
        notes=(f"One prompt: {classes.SOUND_TEMPLATE!r}. All five folds are scored, because nothing is trained.",),
    ),
    Task(
        "audioset",
        "Rank the audio clips of each of 527 classes; a clip has several",
        "zero-shot",
        ("audio", "text"),
        ("map", "top1"),
        DataSet(
            "AudioSet evaluation",
            "CC BY 4.0 (labels); clips are YouTube's",
            classes.AUDIOSET,
            20.0,
            ("eval_segments.csv", "class_labels_indices.csv", "audio/<video>_<start>.wav or Y<video>.wav"),
            20371,
            ("eval_segments.csv", "class_labels_indices.csv"),
        ),
        classes.read_audioset,
        notes=(f"One prompt: {classes.SOUND_TEMPLATE!r}. map is the mean over the classes that have clips.",),
    ),
    Task(
        "imagenet",
        "Name the class of an image, of 1000",
        "zero-shot",
        ("image", "text"),
        ("top1", "top3", "top5"),
        DataSet(
            "ImageNet-1k validation",
            "non-commercial research",
            "https://image-net.org",
            6.7,
            (
                "LOC_synset_mapping.txt",
                "val/<wnid>/<image>.JPEG, or LOC_val_solution.csv and val/<image>.JPEG",
                "uni3d_templates.json or templates.json with the 80 prompts IN1k_temp; without it one prompt",
            ),
            50000,
            ("LOC_synset_mapping.txt",),
        ),
        classes.read_imagenet,
        notes=("Class names are the first of each line of LOC_synset_mapping.txt, not CLIP's edited ones.",),
    ),
)
