"""Image-text retrieval before and after connecting, which shows forgetting: COCO, Flickr30k (papers A)."""

from __future__ import annotations

from isthmus.evaluate.annotations import captions
from isthmus.evaluate.tasks.audio_image import METRICS, PAPERS
from isthmus.evaluate.tasks.task import DataSet, Published, Task

TASKS = (
    Task(
        "coco",
        "Find the captions of an image, and the image of a caption, before and after connecting",
        "retrieval",
        ("image", "text"),
        METRICS,
        DataSet(
            "COCO 2017 val",
            "CC BY 4.0 (captions); images: Flickr's terms",
            captions.COCO,
            1.0,
            ("captions_val2017.json", "val2017/<image>.jpg"),
            5000,
            ("captions_val2017.json",),
        ),
        captions.read_coco,
        (
            Published("CLIP, before", {"r1": 40.24}, PAPERS, "before"),
            Published("AudioCLIP", {"r1": 17.51}, PAPERS, "after"),
            Published("C-MCR", {"r1": 16.67}, PAPERS, "after"),
            Published("C-MCR, 3-D model", {"r1": 14.34}, PAPERS, "after"),
            Published("Ex-MCR", {"r1": 40.24}, PAPERS, "after"),
            Published("ImageBind", {"r1": 57.28}, PAPERS, "after"),
            Published("OmniBind-Full", {"r1": 62.64}, PAPERS, "after"),
        ),
    ),
    Task(
        "flickr30k",
        "Find the captions of an image, and the image of a caption, before and after connecting",
        "retrieval",
        ("image", "text"),
        METRICS,
        DataSet(
            "Flickr30k test (Karpathy's split)",
            "non-commercial research; images: Flickr's terms",
            "https://shannon.cs.illinois.edu/DenotationGraph/",
            4.4,
            ("dataset_flickr30k.json", "flickr30k-images/<image>.jpg"),
            1000,
            ("dataset_flickr30k.json",),
        ),
        captions.read_flickr30k,
    ),
)
