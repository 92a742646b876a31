"""Disks that are full: a tiny file system of a process's own where it may make one, else a limit of files' sizes."""

import ctypes
import errno
import importlib
import multiprocessing
import os
import resource
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
_PAGE = 4096
_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000


def small_disk(folder: Path, size: int) -> None:
    """Let this process, single-threaded, and nobody else see an empty disk of this size, in bytes, at the folder.

    Where the kernel allows no file system of one's own, no file of this process may grow larger than a fifth of that.
    """
    if not _mounted(folder, size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 5, size // 5))


def no_shared_memory() -> None:
    """Let this process and its children, and nobody else, see a full /dev/shm; single-threaded, as above.

    Where the kernel allows no such thing, Python's own semaphores fail as they do there.
    """
    if _mounted(SHARED_MEMORY, _PAGE):
        (SHARED_MEMORY / "full").write_bytes(bytes(_PAGE))
    else:
        importlib.import_module("_multiprocessing").SemLock = _no_room  # type: ignore[attr-defined]  # a module in C


def shared_memory_is_full() -> bool:
    """Tell whether nothing fits there any more: a semaphore is a file of 32 bytes in it."""
    try:
        multiprocessing.Lock()
    except OSError as error:
        return error.errno == errno.ENOSPC
    return False


def _no_room(*_given: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _mounted(folder: Path, size: int) -> bool:
    system = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if system.unshare(_CLONE_NEWNS | (0 if user == 0 else _CLONE_NEWUSER)) != 0:
        return False
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    if system.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None) != 0:
        return False
    return bool(system.mount(b"tmpfs", bytes(folder), b"tmpfs", 0, f"size={size}".encode()) == 0)
