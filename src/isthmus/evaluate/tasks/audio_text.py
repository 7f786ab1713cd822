"""Audio-text retrieval: AudioCaps, Clotho (papers A)."""

from __future__ import annotations

from isthmus.evaluate.annotations import captions
from isthmus.evaluate.tasks.audio_image import METRICS, PAPERS
from isthmus.evaluate.tasks.task import DataSet, Published, Task

WHICH_TEXT = (
    "Both spaces of a connector may encode text, and the papers do not say which does: every one that has text is "
    "scored, as a subset of its own."
)

TASKS = (
    Task(
        "audiocaps",
        "Find the caption of an audio clip, and the audio clip of a caption",
        "retrieval",
        ("audio", "text"),
        METRICS,
        DataSet(
            "AudioCaps",
            "CC BY 4.0 (captions); clips are YouTube's",
            captions.AUDIOCAPS,
            1.0,
            ("audiocaps_test.csv or test.csv (file_name, caption_1 to caption_5)", "audio/Y<video>.wav or <video>.wav"),
            957,
            ("audiocaps_test.csv|test.csv",),
        ),
        captions.read_audiocaps,
        (
            Published("WAV2CLIP", {"r1": 0.88, "r5": 4.22}, PAPERS),
            Published("AudioCLIP", {"r1": 3.53, "r5": 11.3}, PAPERS),
            Published("C-MCR", {"r1": 15.76, "r5": 41.37}, PAPERS),
            Published("C-MCR", {"map": 9.5}, "C-MCR"),
            Published("Ex-MCR", {"r1": 19.07, "r5": 47.05}, PAPERS),
            Published("TextME", {"r1": 24.1}, "TextME"),
            Published("ImageBind", {"r1": 9.24, "r5": 27.47}, PAPERS),
            Published("OmniBind-Full", {"r1": 46.72, "r5": 79.69}, PAPERS),
        ),
        (WHICH_TEXT, "The papers score 964 clips with five captions each; 957 are listed here."),
    ),
    Task(
        "clotho",
        "Find the caption of an audio clip, and the audio clip of a caption",
        "retrieval",
        ("audio", "text"),
        METRICS,
        DataSet(
            "Clotho",
            "CC BY 4.0 (captions as redistributed); clips: the Creative Commons licence of each",
            captions.CLOTHO,
            2.3,
            (
                "clotho_captions_evaluation.csv or test.csv (file_name, caption_1 to caption_5)",
                "evaluation/<name>.wav; names with & may be written &amp;",
            ),
            1045,
            ("clotho_captions_evaluation.csv|clotho_test.csv|evaluation.csv|test.csv",),
        ),
        captions.read_clotho,
        (
            Published("WAV2CLIP", {"r1": 0.78, "r5": 2.60}, PAPERS),
            Published("AudioCLIP", {"r1": 3.20, "r5": 9.97}, PAPERS),
            Published("C-MCR", {"r1": 8.37, "r5": 24.86}, PAPERS),
            Published("Ex-MCR", {"r1": 7.01, "r5": 22.04}, PAPERS),
            Published("ImageBind", {"r1": 6.64, "r5": 17.28}, PAPERS),
            Published("OmniBind-Full", {"r1": 23.27, "r5": 49.46}, PAPERS),
        ),
        (WHICH_TEXT,),
    ),
)
