"""Counterfactual audio-image recognition: is the source of a sound in the frame, and where (papers A)."""

from __future__ import annotations

from isthmus.evaluate.annotations import flickr, vggss
from isthmus.evaluate.tasks.task import DataSet, Published, Task

METRICS = ("ap", "max_f1", "loc_acc")
MODALITIES = ("image", "audio")
TITLE = "Say whether a frame shows the source of an audio clip, and where"

TASKS = (
    Task(
        "ex-vggss",
        TITLE,
        "counterfactual",
        MODALITIES,
        METRICS,
        DataSet(
            "Extended VGGSS",
            "Apache-2.0 (annotations), CC BY 4.0 (VGGSound); clips are YouTube's",
            "https://github.com/stoneMo/SLAVC",
            7.0,
            (
                "vggss.json",
                "vggss_test_plus_silent.csv",
                "frames/<video>_<start>.jpg",
                "audio/<video>_<start>.wav",
            ),
            10316,
            ("vggss.json", "vggss_test_plus_silent.csv"),
        ),
        vggss.read_extended,
        (Published("C-MCR", {"ap": 50.91}, "C-MCR"),),
        ("379 negatives are clips whose own audio is not of what they show; the others have another clip's audio.",),
    ),
    Task(
        "ex-flickrnet",
        TITLE,
        "counterfactual",
        MODALITIES,
        METRICS,
        DataSet(
            "Extended Flickr-SoundNet",
            "Apache-2.0 (negatives), research use (boxes); clips are their uploaders'",
            "https://github.com/stoneMo/SLAVC",
            0.2,
            (
                "flickr_test.csv",
                "flickr_test_plus_silent.csv",
                "Annotations/<id>.xml",
                "frames/<id>.jpg",
                "audio/<id>.wav",
            ),
            500,
            ("flickr_test.csv", "flickr_test_plus_silent.csv"),
        ),
        flickr.read_extended,
        (Published("C-MCR", {"ap": 73.67}, "C-MCR"),),
    ),
)
