"""What a release is made of, built once: the sdist, the wheels, and environments to put them in.

Needs `build`, `twine`, `pyright` and `uv`: tox environment ``…-publish``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import readme
from sandbox import LITELLM, ROOT, Dist, copy_of_the_tree, on_path, run

from litellm_patch.tools.lab.stand_in import Refuse, StandIn, running_stand_in


@pytest.fixture(scope="session")
def tree(tmp_path_factory) -> Path:
    return copy_of_the_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="session")
def dist(tmp_path_factory) -> Dist:
    source = copy_of_the_tree(tmp_path_factory.mktemp("to-build"))
    run([sys.executable, "-m", "build"], cwd=source)
    from_tree = source / "from-tree"
    run([sys.executable, "-m", "build", "--wheel", "--outdir", from_tree], cwd=source)
    (sdist,) = (source / "dist").glob("*.tar.gz")
    (wheel,) = (source / "dist").glob("*.whl")
    return Dist(sdist, wheel, from_tree / wheel.name)


@pytest.fixture(scope="session")
def reader(tree, tmp_path_factory) -> Path:
    """The ``bin`` of LiteLLM's environment, after the README's `pip install .`."""
    install = next(s for s in readme.inline(readme.README.read_text()) if s.startswith("pip inst"))
    venv = tmp_path_factory.mktemp("reader") / "venv"
    run(["uv", "venv", "-q", "--seed", "-p", sys.executable, venv], cwd=ROOT)
    run(["uv", "pip", "install", "-q", "-p", venv / "bin/python", LITELLM], cwd=ROOT)
    run(["sh", "-c", install], cwd=tree, environment=on_path(venv / "bin"))
    return venv / "bin"


@pytest.fixture(scope="session")
def image_venv(tmp_path_factory) -> Path:
    """A virtual environment as the official image has it: made by uv, so without pip.

    wrapt is in the image because ddtrace and OpenTelemetry are (LiteLLM's extra
    ``proxy-runtime``); they are left out here.
    """
    venv = tmp_path_factory.mktemp("image") / "app" / ".venv"
    run(["uv", "venv", "-q", "-p", sys.executable, venv], cwd=ROOT)
    run(["uv", "pip", "install", "-q", "-p", venv / "bin/python", LITELLM, "wrapt"], cwd=ROOT)
    return venv


@pytest.fixture(scope="session")
def provider() -> Iterator[StandIn]:
    """A provider that refuses everything, so that every group cools down."""
    with running_stand_in() as stand_in:
        stand_in.refusals["*"] = Refuse()
        yield stand_in
