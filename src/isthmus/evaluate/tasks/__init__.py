"""Tasks: the benchmarks of the papers, one file per family; `registry` has all of them by name.

A `Task` says what is measured on which data, where that is published and how it lies on disk. Its ``read`` parses the
annotations (`isthmus.evaluate.annotations`); `isthmus.evaluate.running` embeds and scores.
"""

from isthmus.evaluate.tasks.registry import task_named, tasks
from isthmus.evaluate.tasks.task import PUBLIC, DataSet, Published, Task

__all__ = ["PUBLIC", "DataSet", "Published", "Task", "task_named", "tasks"]
