"""Replace several files of a tree, all or none, also if the process is killed in between.

What is needed to go back is written beside the files first: a work directory with the new
and the old contents and, last of all, a journal. While there is a journal, files may have
been replaced; `recover`, which every later run begins with, puts the old ones back.

Files are replaced, never written into: package managers hard-link them from their cache.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .catalogue import sha256
from .refused import Refused

WORK = Path("litellm") / ".litellm_patch-work"
JOURNAL = "journal.json"


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Keep a second run away from the tree. (Windows has no such lock; there it is up to you.)

    Raises:
        Refused: another run is at work there, or the directory cannot be read.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    try:
        handle = os.open(root, os.O_RDONLY)
    except OSError as error:
        raise Refused(f"cannot read {root}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refused(f"another run is at work in {root}") from error
        yield
    finally:
        os.close(handle)


def replace_all(root: Path, contents: Mapping[str, bytes]) -> None:
    """Give the files of `contents` (by path below `root`) new contents, all or none.

    Raises:
        Refused: it was not possible, and the tree is as it was.
    """
    work = root / WORK
    try:
        for path, content in contents.items():
            _write(work / "before" / path, (root / path).read_bytes(), like=root / path)
            _write(work / "after" / path, content, like=root / path)
        hashes = {path: sha256((root / path).read_bytes()) for path in contents}
        after = {path: sha256(content) for path, content in contents.items()}
        _write(work / "journal.part", json.dumps({"before": hashes, "after": after}).encode())
        os.replace(work / "journal.part", work / JOURNAL)
        for path in contents:
            os.replace(work / "after" / path, root / path)
        (work / JOURNAL).unlink()
    except OSError as error:
        recover(root)
        raise Refused(f"cannot write to {root}: {error.strerror or error}") from error
    except BaseException:  # Ctrl-C
        recover(root)
        raise
    shutil.rmtree(work, ignore_errors=True)


def recover(root: Path) -> bool:
    """Undo what an interrupted run left behind; whether it had begun to replace files.

    Raises:
        Refused: somebody changed a file since, or it cannot be written.
    """
    work = root / WORK
    if not work.is_dir():
        return False
    begun = (work / JOURNAL).is_file()
    try:
        if begun:
            _restore(root, work, json.loads((work / JOURNAL).read_text()))
            (work / JOURNAL).unlink()
        shutil.rmtree(work)
    except OSError as error:
        raise Refused(
            f"an interrupted run left {work}, and it cannot be undone ({error.strerror or error}); "
            "make it writable and run the command again"
        ) from error
    return begun


def _restore(root: Path, work: Path, journal: Mapping[str, Mapping[str, str]]) -> None:
    replaced = []
    for path, before in journal["before"].items():
        there = sha256((root / path).read_bytes())
        if there not in (before, journal["after"][path]):
            raise Refused(
                f"{root / path} was changed after an interrupted run; what stood there before "
                f"is in {work / 'before'}. Delete {work} when all files are as you want them."
            )
        if there != before:
            replaced.append(path)
    for path in replaced:
        os.replace(work / "before" / path, root / path)


def _write(path: Path, content: bytes, like: Path | None = None) -> None:
    """Write a file through to the disk, with the mode and, where allowed, owner of `like`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if like is not None:
        shutil.copymode(like, path)
        there = like.stat()
        if hasattr(os, "chown") and (path.stat().st_uid, path.stat().st_gid) != (
            there.st_uid,
            there.st_gid,
        ):
            try:
                os.chown(path, there.st_uid, there.st_gid)
            except PermissionError:  # not root: the file becomes the user's own
                pass
