"""Locks: one process at a time writes a file or folder. The system releases a lock when its process ends."""

from __future__ import annotations

import os
import time
import warnings
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

try:
    import fcntl
except ImportError:  # Windows: a second writer is not noticed there.
    fcntl = None  # type: ignore[assignment]

from isthmus.base.errors import IsthmusError

NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
PAUSE = 0.02
"""Seconds between two tries."""
PATIENCE = 60.0
"""Seconds to wait for a lock that others hold only while they write one file or save one artifact."""


class FileLock:
    """An exclusive lock on a file or folder, held until `release` or the end of the process.

    A lock file has no content. It is not deleted, because two processes could then hold locks on two files of one
    name. `flock` works between machines on NFS, too. A forked child does not inherit the lock.

    Args:
        path: A folder, or the lock file, which is created if it does not exist.
        busy: The message of the error if somebody else holds the lock.
        patience: Seconds to wait for the lock.

    Raises:
        IsthmusError: Somebody else holds the lock, or the file cannot be made.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / ".lock"
        >>> first = FileLock(path, busy="set: another process is writing to it: wait")
        >>> FileLock(path, busy="set: another process is writing to it: wait")
        Traceback (most recent call last):
        isthmus.base.errors.IsthmusError: set: another process is writing to it: wait
        >>> first.release()
    """

    _handle: int | None = None

    def __init__(self, path: Path, *, busy: str, patience: float = 0) -> None:
        folder = path.is_dir()
        if folder and fcntl is None:  # Windows cannot open folders, either
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDONLY if folder else os.O_CREAT | os.O_RDWR | NO_LINKS, 0o666)
        except OSError as error:
            raise IsthmusError(f"{path}: cannot be locked ({error.strerror}): choose a folder you may write") from error
        last = time.monotonic() + patience
        while (locked := try_lock(self._handle)) is False:
            if time.monotonic() >= last:
                self.release()
                raise IsthmusError(busy)
            time.sleep(PAUSE)
        if locked is None and fcntl is not None:
            place = path if folder else path.parent
            warnings.warn(f"{place}: no locks on this file system: let one process at a time write", stacklevel=3)
        _HELD.add(self)

    @property
    def held(self) -> bool:
        """Whether this process holds the lock."""
        return self._handle is not None

    def release(self) -> None:
        """Give the lock back; calling it twice does no harm."""
        if self._handle is not None:
            unlock(self._handle)
        self._close()

    def _close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def __enter__(self) -> FileLock:
        return self

    def __exit__(self, *raised: object) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()


_HELD: WeakSet[FileLock] = WeakSet()


def _forget_in_child() -> None:
    """A forked child shares the parent's lock: it must not keep it if the parent dies, nor give it back for it."""
    for lock in list(_HELD):
        lock._close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)


def try_lock(handle: int) -> bool | None:
    """Lock an open file. False if somebody else holds it; None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def unlock(handle: int) -> None:
    """Release the lock, also for children that share the handle."""
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)
