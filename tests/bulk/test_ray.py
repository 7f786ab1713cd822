"""The Ray runner: the local runner's result, from two workers, and also when one of them is killed."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

import isthmus
from isthmus.embeddings.folder import verify_set
from isthmus.embeddings.manifest import read_manifest

pytest.importorskip("ray")

ITEMS = 48


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_killed_worker_loses_nothing(stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two actors; one is killed with a shard in its hands. Shards, hashes and failures are those of a local run."""
    import ray

    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(ITEMS):
        (folder / f"{number:03}.npy").write_text("broken" if number % 11 == 5 else "slow")
    (folder / "list.txt").write_text("\n".join(f"{number:03}.npy" for number in range(ITEMS)))
    options = {"space": stage, "modality": "image", "shard_items": 4}
    isthmus.embed(folder / "list.txt", tmp_path / "local", workers=0, **options)

    pids = tmp_path / "pids"
    pids.mkdir()
    monkeypatch.setenv("STAGE_PIDS", str(pids))
    actors: list[int] = []
    ended = threading.Event()

    def kill_one() -> None:
        """Kill an actor of this job once shards come in."""
        while not ended.is_set():
            actors[:] = [int(path.name) for path in pids.iterdir() if int(path.name) != os.getpid()]
            entry = read_manifest(tmp_path / "ray").get("image")
            if len(actors) == 2 and entry and entry.shards:
                os.kill(actors[0], signal.SIGKILL)
                return
            time.sleep(0.02)

    ray.init(num_cpus=2, include_dashboard=False, configure_logging=False, log_to_driver=False)
    killer = threading.Thread(target=kill_one)
    killer.start()
    try:
        summary = isthmus.embed(folder / "list.txt", tmp_path / "ray", runner="ray", actors=2, workers=1, **options)
    finally:
        ended.set()
        ray.shutdown()
    killer.join()
    assert len(actors) == 2
    assert not Path(f"/proc/{actors[0]}").exists()
    assert len(list(pids.iterdir())) > 3, "no actor took the place of the one that was killed"
    bad = range(5, ITEMS, 11)
    assert summary.rows == ITEMS - len(bad)
    local, spread = (read_manifest(tmp_path / name)["image"] for name in ("local", "ray"))
    assert local == spread
    assert {failure.id for failure in summary.failed} == {f"{number:03}.npy" for number in bad}
    verify_set(tmp_path / "ray")
