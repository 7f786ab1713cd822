"""Emergent binding: retrieval between audio and video, which are bound only through text (papers A)."""

from __future__ import annotations

from isthmus.evaluate.annotations import captions
from isthmus.evaluate.tasks.task import DataSet, Published, Task

TASKS = (
    Task(
        "msrvtt",
        "Find the video of an audio track and the audio track of a video, through text",
        "retrieval",
        ("audio", "video"),
        ("map", "r1", "r5", "r10", "mrr", "median_rank"),
        DataSet(
            "MSR-VTT 1k-A test",
            "research use; clips are YouTube's",
            "https://www.microsoft.com/en-us/research/publication/"
            "msr-vtt-a-large-video-description-dataset-for-bridging-video-and-language/",
            6.5,
            ("MSRVTT_JSFUSION_test.csv", "videos/<video>.mp4 (with their audio track)"),
            1000,
            ("MSRVTT_JSFUSION_test.csv",),
        ),
        captions.read_msrvtt,
        (
            Published("C-MCR, au→te→vi", {"map": 8.5}, "C-MCR", "audio_to_video"),
            Published("C-MCR, vi→te→au", {"map": 9.8}, "C-MCR", "video_to_audio"),
        ),
        ("About a tenth of the videos have no audio track; they cannot be queries or items of either direction.",),
    ),
)
