"""MTEB's own tasks run on a connected space, and score it as our metrics do."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from connected_checkpoints import connected, picture
from isthmus.evaluate import MtebEncoder, load_mteb_encoder, read_result
from isthmus.metrics import retrieval
from media_files import tones

pytestmark = [
    pytest.mark.slow,
    # Random encoders put both items of a mock task into one class.
    pytest.mark.filterwarnings("ignore:Precision is ill-defined"),
]
COUNT = 12


@pytest.fixture(scope="module")
def mteb() -> Any:
    return pytest.importorskip("mteb", reason="mteb is not installed: pip install 'isthmus[mteb]'")


@pytest.fixture(scope="module")
def encoder(mteb: Any, checkpoints: Callable[[str], Path]) -> MtebEncoder:
    return MtebEncoder(*connected(checkpoints), name="me/tiny", facts={"license": "mit", "open_weights": True})


def scores(mteb: Any, encoder: MtebEncoder, task: Any, cache: Path | None = None) -> dict[str, Any]:
    """The scores of a task; with ``cache`` they are kept there as MTEB's files."""
    kept = None if cache is None else mteb.ResultCache(cache)
    done = mteb.evaluate(encoder, task, cache=kept, co2_tracker=False, show_progress_bar=False)
    return done.task_results[0].scores["test"][0]


def wave(seed: int) -> dict[str, Any]:
    """What a data set on the hub stores: the bytes of a file."""
    file = io.BytesIO()
    soundfile.write(file, tones(0.5, 8000, seed), 8000, format="WAV")
    return {"bytes": file.getvalue(), "path": f"{seed}.wav"}


def columns(modality: str) -> tuple[list[Any], list[Any]]:
    """The values of a column as MTEB's data sets store them, and as `Space.encode` takes them."""
    from PIL import Image

    if modality == "text":
        texts = [f"{number} {'abcdefgh'[number % 8] * (number + 1)}" for number in range(COUNT)]
        return texts, texts
    if modality == "image":
        return [Image.fromarray(picture(seed)) for seed in range(COUNT)], [picture(seed) for seed in range(COUNT)]
    waves = [wave(seed) for seed in range(COUNT)]
    return waves, [own["bytes"] for own in waves]


def column_set(modality: str, start: str) -> Any:
    """A data set with ids and the column of a modality, with the feature that the hub gives it."""
    from datasets import Audio, Dataset

    ids = [f"{start}{number}" for number in range(COUNT)]
    found = Dataset.from_dict({"id": ids, modality: columns(modality)[0]})
    return found.cast_column("audio", Audio()) if modality == "audio" else found


def pairing(mteb: Any, queries: str, documents: str) -> Any:
    """A retrieval task of our own on MTEB's class: query i has document i."""
    from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData
    from mteb.mocks import mock_tasks

    class Pairing(mock_tasks.MockAny2AnyRetrievalI2TTask):
        metadata = mock_tasks.MockAny2AnyRetrievalI2TTask.metadata.model_copy(
            update={
                "modalities": [queries, documents],
                "category": f"{queries[0]}2{documents[0]}",
                "name": f"Pairing{queries}{documents}",
            }
        )

        def load_data(self, **kwargs: Any) -> None:
            relevant = {f"q{number}": {f"d{number}": 1} for number in range(COUNT)}
            parts = column_set(queries, "q"), column_set(documents, "d")
            made = RetrievalSplitData(queries=parts[0], corpus=parts[1], relevant_docs=relevant, top_ranked=None)
            self.dataset = {"default": {"test": made}}
            self.data_loaded = True

    return Pairing()


def test_it_is_an_encoder_by_mtebs_protocol(mteb: Any, encoder: MtebEncoder) -> None:
    from mteb.models import EncoderProtocol

    assert isinstance(encoder, EncoderProtocol)
    meta = encoder.mteb_model_meta
    assert (meta.name, meta.modalities, meta.embed_dim) == ("me/tiny", ["text", "image", "audio"], encoder.dim)
    assert (meta.license, meta.similarity_fn_name.value) == ("mit", "cosine")


def test_mteb_loads_a_connector_as_it_would_a_submitted_one(
    mteb: Any, encoder: MtebEncoder, checkpoints: Callable[[str], Path], tmp_path: Path
) -> None:
    from mteb.mocks import mock_tasks

    folder = encoder.connector.save(tmp_path / "me" / "tiny")
    specs = [f"{family}:{checkpoints(family)}" for family in ("clip", "clap")]
    # Of texts only: for images and audio MTEB asks for torchvision and torchaudio, even where a model needs neither.
    facts = {"name": str(folder), "revision": "1", "modalities": ["text"], "loader": load_mteb_encoder}
    meta = encoder.mteb_model_meta.model_copy(update={**facts, "loader_kwargs": {"spaces": specs}})
    loaded = meta.load_model(device="cpu")
    assert loaded.mteb_model_meta.revision == "1"
    task = mock_tasks.MockSTSTask
    assert scores(mteb, loaded, task())["main_score"] == scores(mteb, encoder, task())["main_score"]


@pytest.mark.parametrize(
    ("queries", "documents"), [("audio", "image"), ("image", "audio"), ("text", "audio"), ("image", "text")]
)
def test_mteb_scores_retrieval_as_our_metrics_do(
    mteb: Any, encoder: MtebEncoder, queries: str, documents: str, tmp_path: Path
) -> None:
    found = scores(mteb, encoder, pairing(mteb, queries, documents), tmp_path)
    projected = [
        encoder.connector.project(encoder.encoders[modality].encode(columns(modality)[1], modality=modality))
        for modality in (queries, documents)
    ]
    ours = retrieval(*projected, relevant=(np.arange(COUNT), np.arange(COUNT)), ks=(1, 5))
    assert [found["recall_at_1"], found["recall_at_5"]] == pytest.approx([ours.recall[1], ours.recall[5]], abs=1e-4)
    (file,) = tmp_path.rglob("Pairing*.json")
    assert read_result(file).scores["test"][0]["recall_at_1"] == pytest.approx(ours.recall[1], abs=1e-4)


@pytest.mark.parametrize(
    "name",
    [
        "MockSTSTask",
        "MockRetrievalTask",
        "MockTextZeroShotClassificationTask",
        "MockZeroShotClassificationTask",
        "MockImageClassificationTask",
        "MockImageClusteringFastTask",
        "MockAny2AnyRetrievalT2ITask",
    ],
)
def test_mtebs_mock_tasks_of_text_and_image_run(mteb: Any, encoder: MtebEncoder, name: str) -> None:
    from mteb.mocks import mock_tasks

    assert np.isfinite(scores(mteb, encoder, getattr(mock_tasks, name)())["main_score"])


def test_mtebs_mock_task_of_audio_runs_without_torchcodec(mteb: Any, encoder: MtebEncoder) -> None:
    """Its clips as a data set of the hub stores them: MTEB's own mock data are made with torchcodec."""
    from datasets import Audio, Dataset, DatasetDict
    from mteb.mocks import mock_tasks

    class Stored(mock_tasks.MockAudioZeroshotClassificationTask):
        def load_data(self, **kwargs: Any) -> None:
            clips = Dataset.from_dict({"audio": [wave(0), wave(1)], "label": [0, 1]})
            self.dataset = DatasetDict({"test": clips.cast_column("audio", Audio())})
            self.data_loaded = True

    assert scores(mteb, encoder, Stored())["main_score"] in (0.0, 0.5, 1.0)


def test_a_task_of_video_is_refused(mteb: Any, encoder: MtebEncoder) -> None:
    from mteb.mocks import mock_tasks

    with pytest.raises(ValueError, match="video"):
        scores(mteb, encoder, mock_tasks.MockVideoClassification())
