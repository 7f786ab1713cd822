"""Audio-image retrieval: AVE, Flickr-SoundNet, VGGSS (papers A)."""

from __future__ import annotations

from isthmus.evaluate.annotations import events, flickr, vggss
from isthmus.evaluate.tasks.task import DataSet, Published, Task

METRICS = ("r1", "r5", "r10", "map", "mrr", "median_rank")
MODALITIES = ("image", "audio")
PAPERS = "C-MCR, Ex-MCR and OmniBind"
FRAME = (
    "The papers do not say which frame of a clip they take: here it is the one that you extracted, or the middle one "
    "of a video."
)


def _published(**of_model: tuple[float, float]) -> tuple[Published, ...]:
    return tuple(
        Published(model.replace("_", "-"), {"r1": r1, "r5": r5}, PAPERS) for model, (r1, r5) in of_model.items()
    )


TASKS = (
    Task(
        "ave-retrieval",
        "Find the audio clip of a frame, and the frame of an audio clip",
        "retrieval",
        MODALITIES,
        METRICS,
        DataSet(
            "AVE (Audio-Visual Event)",
            "research use; clips are YouTube's",
            "https://github.com/YapengTian/AVE-ECCV18",
            4.0,
            (
                "Annotations.txt",
                "frames/<video>.jpg, or frames/<video>/*.jpg, or only the videos (the middle frame is taken)",
                "audio/<video>.wav, or AVE/<video>.mp4",
            ),
            4097,
            ("Annotations.txt",),
        ),
        events.read_ave_pairs,
        notes=(FRAME,),
    ),
    Task(
        "flickr-soundnet-retrieval",
        "Find the audio clip of a frame, and the frame of an audio clip",
        "retrieval",
        MODALITIES,
        METRICS,
        DataSet(
            "Flickr-SoundNet",
            "research use; clips are their uploaders'",
            "https://github.com/ardasnck/learning_to_localize_sound_source",
            2.0,
            (
                "flickr_pairs.txt (one id per line; without it the 250 of flickr_test.csv)",
                "frames/<id>.jpg",
                "audio/<id>.wav",
            ),
            None,
            ("flickr_pairs.txt|flickr_test.csv",),
        ),
        flickr.read_pairs,
        _published(
            WAV2CLIP=(0.82, 3.41),
            AudioCLIP=(1.37, 4.91),
            C_MCR=(1.39, 5.97),
            Ex_MCR=(1.57, 5.94),
            ImageBind=(7.68, 20.79),
            OmniBind_Full=(8.32, 23.49),
        ),
        (FRAME, "The papers score 5000 pairs, and do not list them."),
    ),
    Task(
        "vggss-retrieval",
        "Find the audio clip of a frame, and the frame of an audio clip",
        "retrieval",
        MODALITIES,
        METRICS,
        DataSet(
            "VGGSS (VGG-Sound Source)",
            "Apache-2.0 (annotations), CC BY 4.0 (VGGSound); clips are YouTube's",
            "https://www.robots.ox.ac.uk/~vgg/research/lvs/",
            6.0,
            ("vggss.json", "frames/<video>_<start>.jpg", "audio/<video>_<start>.wav"),
            5158,
            ("vggss.json|vggss_test.csv",),
        ),
        vggss.read_pairs,
        _published(
            WAV2CLIP=(2.51, 9.28),
            AudioCLIP=(1.25, 3.91),
            C_MCR=(1.94, 7.69),
            Ex_MCR=(2.13, 8.13),
            ImageBind=(14.82, 35.67),
            OmniBind_Full=(15.64, 38.19),
        ),
        (FRAME, "The papers score 5000 of the 5158 clips, and do not list them."),
    ),
)
