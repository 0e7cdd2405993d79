"""The Python sources of released LiteLLM wheels, in a folder that can be used again.

    python tests/matrix/sources.py FOLDER [RELEASE ...]

fills ``FOLDER/<release>/litellm/...`` with the ``.py`` files of every release on the registry
from `FIRST` to the newest, or of those that are named. Some 400 wheels are downloaded, one
after the other, and deleted; what stays takes about 8 GB.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FIRST = (1, 53, 1)
AT_ONCE = 2


def number(release: str) -> tuple[int, ...]:
    """``1.74.15.post2`` as (1, 74, 15, 2), which sorts as releases do."""
    return tuple(int(part) for part in re.findall(r"\d+", release))


def releases_on_the_registry() -> list[str]:
    """Final and post releases since `FIRST`, oldest first, as pip sees them."""
    command = [sys.executable, "-m", "pip", "index", "versions", "litellm"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in told.splitlines() if line.startswith("Available versions:"))
    found = [text.strip() for text in line.partition(":")[2].split(",")]
    return sorted((each for each in found if number(each) >= FIRST), key=number)


def fetch(release: str, folder: Path) -> Path:
    """The folder with the sources of `release`, downloaded unless it is there.

    Raises:
        RuntimeError: the registry's client failed; the text is its last line.
    """
    there = folder / release
    if there.is_dir():
        return there
    part = folder / f".part-{release}"
    shutil.rmtree(part, ignore_errors=True)
    install = ["uv", "pip", "install", "-q", "--no-cache", "--no-deps", "--python", sys.executable]
    done = subprocess.run(
        [*install, "--target", str(part), f"litellm=={release}"], capture_output=True, text=True
    )
    if done.returncode:
        shutil.rmtree(part, ignore_errors=True)
        raise RuntimeError((done.stderr.strip().splitlines() or ["no output"])[-1])
    for path in part.rglob("*"):
        if path.is_file() and path.suffix != ".py":
            path.unlink()
    part.rename(there)  # only a complete release gets its name
    return there


def fetch_all(folder: Path, releases: list[str]) -> dict[str, str]:
    """Fetch what is missing; returns release to reason for those that could not be had."""

    def failure(release: str) -> str:
        try:
            fetch(release, folder)
        except Exception as error:
            return str(error)
        finally:
            print(release, flush=True)
        return ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        failures = dict(zip(releases, pool.map(failure, releases)))
    return {release: reason for release, reason in failures.items() if reason}


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    return 1 if fetch_all(folder, sys.argv[2:] or releases_on_the_registry()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
