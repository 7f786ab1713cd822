"""The Ray runner: the local runner's result, from two workers, and also when one of them is killed."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

import isthmus
from isthmus.embeddings.folder import verify_set
from isthmus.embeddings.manifest import read_manifest

pytest.importorskip("ray")


@pytest.mark.filterwarnings("ignore")
def test_a_killed_worker_loses_nothing(stage: str, tmp_path: Path) -> None:
    """Two actors; one is killed with a shard in its hands. Shards, hashes and failures are those of a local run."""
    import ray

    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(120):
        (folder / f"{number:03}.npy").write_text("broken" if number % 11 == 5 else "slow")
    (folder / "list.txt").write_text("\n".join(f"{number:03}.npy" for number in range(120)))
    options = {"space": stage, "modality": "image", "shard_items": 6, "workers": 1}
    isthmus.embed(folder / "list.txt", tmp_path / "local", **options)

    killed: list[int] = []

    def kill_one() -> None:
        """Once shards come in, kill a process that encodes."""
        while not (entry := read_manifest(tmp_path / "ray").get("image")) or len(entry.shards) < 3:
            time.sleep(0.05)
        listed = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True).stdout.splitlines()
        killed.extend(int(line.split()[0]) for line in listed if "ray::MapWorker" in line)
        os.kill(killed[0], signal.SIGKILL)

    ray.init(num_cpus=2, include_dashboard=False, configure_logging=False, log_to_driver=False)
    killer = threading.Thread(target=kill_one)
    killer.start()
    try:
        summary = isthmus.embed(folder / "list.txt", tmp_path / "ray", runner="ray", actors=2, **options)
    finally:
        ray.shutdown()
    killer.join()
    assert len(killed) == 2
    assert summary.rows == 109
    local, spread = (read_manifest(tmp_path / name)["image"] for name in ("local", "ray"))
    assert local == spread
    assert {failure.id for failure in summary.failed} == {f"{number:03}.npy" for number in range(5, 120, 11)}
    verify_set(tmp_path / "ray")
