"""Sound source localisation: VGGSS, MUSIC-Solo, MUSIC-Duet, Flickr-SoundNet (papers A)."""

from __future__ import annotations

from isthmus.evaluate.annotations import flickr, music, vggss
from isthmus.evaluate.tasks.task import DataSet, Published, Task

METRICS = ("ciou", "auc", "ciou30", "mean_ciou")
MODALITIES = ("image", "audio")
TITLE = "Find where in a frame the audio comes from"
MUSIC_SOURCE = "https://github.com/roudimit/MUSIC_dataset"

TASKS = (
    Task(
        "vggss-localisation",
        TITLE,
        "localisation",
        MODALITIES,
        METRICS,
        DataSet(
            "VGGSS (VGG-Sound Source)",
            "Apache-2.0 (annotations), CC BY 4.0 (VGGSound); clips are YouTube's",
            vggss.SOURCE,
            6.0,
            ("vggss.json", "frames/<video>_<start>.jpg", "audio/<video>_<start>.wav"),
            5158,
            ("vggss.json",),
        ),
        vggss.read_boxes,
        (Published("C-MCR", {"ciou": 48.08}, "C-MCR"),),
        ("18 published boxes have no area; the two frames that have no other box cannot be right.",),
    ),
    Task(
        "flickr-soundnet-localisation",
        TITLE,
        "localisation",
        MODALITIES,
        METRICS,
        DataSet(
            "Flickr-SoundNet test",
            "research use; clips are their uploaders'",
            flickr.SOURCE,
            0.1,
            ("flickr_test.csv", "Annotations/<id>.xml", "frames/<id>.jpg", "audio/<id>.wav"),
            250,
            ("flickr_test.csv",),
        ),
        flickr.read_boxes,
    ),
    Task(
        "music-solo-localisation",
        TITLE,
        "localisation",
        MODALITIES,
        METRICS,
        DataSet(
            "MUSIC, solos",
            "MIT and Apache-2.0 (annotations); clips are YouTube's",
            MUSIC_SOURCE,
            1.0,
            ("music_solo.json", "frames/<video>_<segment>_<frame>.jpg", "audio/<video>_<segment>_<frame>.wav"),
            2124,
            ("music_solo.json",),
        ),
        music.read_solo,
        (Published("C-MCR", {"ciou": 53.78}, "C-MCR", protocol="489 frames, which are not listed"),),
        ("The papers score 489 frames of the 2124 that are published with boxes, and do not list them.",),
    ),
    Task(
        "music-duet-localisation",
        TITLE + ", when two instruments play",
        "localisation",
        MODALITIES,
        ("ciou30", "auc", "ciou", "mean_ciou"),
        DataSet(
            "MUSIC, duets",
            "MIT and Apache-2.0 (annotations); clips are YouTube's",
            MUSIC_SOURCE,
            1.0,
            ("music_duet.json", "frames/<video>_<segment>_<frame>.jpg", "audio/<video>_<segment>_<frame>.wav"),
            1020,
            ("music_duet.json",),
        ),
        music.read_duet,
        notes=(
            "Both instruments are in the audio, so the truth is the union of their boxes. Papers that separate the two "
            "score each against its own box (class-aware cIoU), which is another task.",
        ),
    ),
)
