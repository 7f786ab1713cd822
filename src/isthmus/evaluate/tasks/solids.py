"""3-D objects: zero-shot classification of point clouds, and retrieval of their images (papers A)."""

from __future__ import annotations

from isthmus.evaluate.annotations import classes
from isthmus.evaluate.tasks.audio_image import METRICS as RETRIEVAL
from isthmus.evaluate.tasks.audio_image import PAPERS
from isthmus.evaluate.tasks.task import DataSet, Published, Task

METRICS = ("top1", "top3", "top5")
PROMPTS = "labels.json and templates.json of ULIP or Uni3D (also as ulip_templates.json and so on)"
MEAN = "A class is the normalized mean of its prompts after projection; the papers do not say whether before or after."

TASKS = (
    Task(
        "modelnet40",
        "Name the class of a point cloud, of 40",
        "zero-shot",
        ("points", "text"),
        METRICS,
        DataSet(
            "ModelNet40 test",
            "research use",
            "https://modelnet.cs.princeton.edu",
            2.0,
            ("modelnet40_test.txt and <class>/<shape>.npy, or <class>/test/<shape>.off", PROMPTS),
            2468,
            ("modelnet40_shapenet_labels.json|uni3d_labels.json|labels.json", "ulip_templates.json|templates.json"),
        ),
        classes.read_modelnet40,
        (
            Published("C-MCR", {"top1": 64.9}, PAPERS),
            Published("Ex-MCR", {"top1": 66.5}, PAPERS),
            Published("TextME", {"top1": 70.9}, "TextME"),
            Published("OmniBind-Full", {"top1": 87.1}, PAPERS),
        ),
        (MEAN,),
    ),
    Task(
        "scanobjectnn",
        "Name the class of a scanned object, of 15",
        "zero-shot",
        ("points", "text"),
        METRICS,
        DataSet(
            "ScanObjectNN",
            "its terms of use, research",
            "https://hkust-vgd.github.io/scanobjectnn/",
            1.0,
            ("<class>/<object>.npy, one cloud (points, 3) each", PROMPTS),
            None,
            ("uni3d_labels.json|labels.json", "ulip_templates.json|templates.json"),
        ),
        classes.read_scanobjectnn,
        notes=(MEAN, "The published .h5 file holds all clouds: write each to an .npy file first."),
    ),
    Task(
        "objaverse-lvis",
        "Name the class of an object, of 1156",
        "zero-shot",
        ("points", "text"),
        METRICS,
        DataSet(
            "Objaverse-LVIS",
            "ODC-By 1.0; objects: their own Creative Commons licences",
            "https://objaverse.allenai.org",
            12.0,
            ("lvis-annotations.json", "points/<uid>.npy", PROMPTS),
            None,
            ("lvis-annotations.json|lvis_annotations.json", "ulip_templates.json|templates.json"),
        ),
        classes.read_objaverse,
        notes=(MEAN,),
    ),
    Task(
        "objaverse-lvis-retrieval",
        "Find the image of a point cloud, and the point cloud of an image",
        "retrieval",
        ("points", "image"),
        RETRIEVAL,
        DataSet(
            "Objaverse-LVIS",
            "ODC-By 1.0; objects: their own Creative Commons licences",
            "https://objaverse.allenai.org",
            20.0,
            ("lvis-annotations.json", "points/<uid>.npy", "images/<uid>.jpg, or images/<uid>/*.png"),
            None,
            ("lvis-annotations.json|lvis_annotations.json",),
        ),
        classes.read_objaverse_pairs,
        (Published("C-MCR", {"r1": 1.36}, "C-MCR"),),
        ("The papers score 46 054 objects; which image of an object they take is not known.",),
    ),
)
