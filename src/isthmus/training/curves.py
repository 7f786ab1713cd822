"""Training curves: the reports of a run in a CSV file or in TensorBoard. Pass a curve as ``progress=``."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

from isthmus.base.errors import IsthmusError
from isthmus.base.paths import user_path
from isthmus.base.progress import OnProgress, Progress


class CsvCurve:
    """Writes every report as a row of a CSV file, at once, so that the file can be read during the run.

    The columns are ``seconds`` since the curve was made, ``stage``, ``done``, ``total``, ``rate`` and one for each
    value, such as ``loss``. If the file exists, rows are appended, so that a resumed run gives one curve.

    Args:
        path: The file to write.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from isthmus.base.progress import Progress
        >>> from isthmus.training.curves import CsvCurve
        >>> path = Path(tempfile.mkdtemp()) / "loss.csv"
        >>> curve = CsvCurve(path)  # isthmus.connect(left, right, method="cmcr", progress=curve)
        >>> curve(Progress("training", done=10, total=600, rate=52.5, values={"loss": 4.2}))
        >>> path.read_text().splitlines()[0]
        'seconds,stage,done,total,rate,loss'
    """

    def __init__(self, path: str | Path) -> None:
        self.path = user_path(path)
        self._started = time.monotonic()
        self._rows: list[dict[str, Any]] = []
        self._columns = ["seconds", "stage", "done", "total", "rate"]
        if self.path.is_file():
            with self.path.open(newline="", encoding="utf-8") as file:
                reader = csv.DictReader(file)
                self._rows, self._columns = list(reader), list(reader.fieldnames or self._columns)

    def __call__(self, now: Progress) -> None:
        """Append a row; the file is rewritten only if a value has no column yet."""
        row = {
            "seconds": round(time.monotonic() - self._started, 3),
            "stage": now.stage,
            "done": now.done,
            "total": now.total,
            "rate": now.rate,
            **now.values,
        }
        added = [name for name in row if name not in self._columns]
        anew = bool(added) or not self._rows
        self._columns += added
        self._rows.append(row)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("w" if anew else "a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._columns)
            if anew:
                writer.writeheader()
            writer.writerows(self._rows if anew else [row])


class TensorBoardCurve:
    """Writes every value as the scalar ``<stage>/<name>`` of a TensorBoard run; the x axis counts steps.

    Args:
        folder: The run's folder, for ``tensorboard --logdir``.

    Raises:
        IsthmusError: tensorboard is not installed.

    Example:
        >>> from isthmus.training.curves import TensorBoardCurve
        >>> curve = TensorBoardCurve("runs/cmcr")  # doctest: +SKIP
        >>> isthmus.connect(left, right, method="cmcr", progress=curve)  # doctest: +SKIP
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise IsthmusError("TensorBoardCurve needs tensorboard: pip install 'isthmus[tensorboard]'") from error
        self._writer = SummaryWriter(str(folder))

    def __call__(self, now: Progress) -> None:
        """Add a point to each curve."""
        for name, value in {"rate": now.rate, **now.values}.items():
            self._writer.add_scalar(f"{now.stage}/{name}", value, now.done)
        self._writer.flush()


def report_to(*functions: OnProgress) -> OnProgress:
    """Pass each report on to several functions: ``progress=report_to(CsvCurve(…), TensorBoardCurve(…))``.

    For a bar and a curve: ``with reporting(True) as bar: connect(…, progress=report_to(bar, curve))``.
    """

    def report(now: Progress) -> None:
        for function in functions:
            function(now)

    return report
