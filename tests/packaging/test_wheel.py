"""The content of the wheel; nothing in it runs by being installed."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import sys
import zipfile
from pathlib import Path

import pytest
from fake_litellm import run

import litellm_patch

ROOT = Path(__file__).parents[2]
BUILT_FROM = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE", "CHANGELOG.md")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel as it is built for the index, from a copy of the sources."""
    pytest.importorskip("setuptools")
    source = tmp_path_factory.mktemp("source")
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, source)
    without_cache = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "litellm_patch", source / "litellm_patch", ignore=without_cache)
    program = "import setuptools.build_meta as backend; backend.build_wheel('dist')"
    done = run(sys.executable, "-c", program, cwd=source)
    assert done.returncode == 0, done.stderr
    (built,) = (source / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def content(wheel) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_is_pure_python_and_nothing_in_it_runs_by_being_installed(wheel, content):
    assert wheel.name == f"litellm_patch-{litellm_patch.__version__}-py3-none-any.whl"
    files = [name for name in content if ".dist-info/" not in name]
    assert {name.partition("/")[0] for name in files} == {"litellm_patch"}
    assert {Path(name).suffix for name in files} == {".py", ".typed", ".patch"}
    starts = [name for name in files if Path(name).stem in ("sitecustomize", "usercustomize")]
    assert starts == ["litellm_patch/bootstrap/sitecustomize.py"]  # where Python does not look


def test_every_file_of_the_package_is_in_it(content):
    walked = os.walk(ROOT / "litellm_patch", followlinks=True)  # the patches are linked to
    files = [Path(folder, name) for folder, _, names in walked for name in names]
    names = {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}
    names.discard("litellm_patch/patches/README.md")  # for those who build a fork
    assert names == {name for name in content if ".dist-info/" not in name}


def test_it_forces_nothing_but_wrapt(content):
    (metadata,) = (text.decode() for name, text in content.items() if name.endswith("/METADATA"))
    needs = re.findall(r"^Requires-Dist: (.*)$", metadata, flags=re.M)
    assert [need for need in needs if "extra ==" not in need] == ["wrapt<3,>=1.15"]
    extras = re.findall(r"^Provides-Extra: (.*)$", metadata, flags=re.M)
    assert sorted(extras) == ["bench", "demo", "test"]  # no user needs one


def test_its_entry_points_are_one_command_and_wrapts_hooks(content):
    (text,) = (text.decode() for name, text in content.items() if "entry_points" in name)
    points = configparser.ConfigParser(delimiters="=")
    points.read_string(text)
    assert set(points.sections()) == {"console_scripts", "litellm_patch"}
    assert dict(points["console_scripts"]) == {"litellm-patch": "litellm_patch.tools.cli.main:main"}


def test_a_python_with_it_installed_starts_without_it(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        "import site, sys\n"
        f"site.addsitedir({str(tmp_path)!r})  # as `site` does with site-packages\n"
        "print('litellm_patch' in sys.modules, 'sitecustomize' in sys.modules)\n"
        "import litellm_patch; print(litellm_patch.__file__)"
    )
    done = run(sys.executable, "-S", "-c", program, cwd=tmp_path)
    there = str(tmp_path / "litellm_patch/__init__.py")
    assert done.stdout.splitlines() == ["False False", there]


def test_status_works_where_the_wheel_itself_is_on_the_path(wheel, fake_litellm, tmp_path):
    path = [f"{wheel}/litellm_patch/bootstrap", wheel, fake_litellm.folder]
    asked = ["-m", "litellm_patch", "status", "--json"]
    done = run(sys.executable, *asked, path=path, cwd=tmp_path, PATH=str(tmp_path))
    found = json.loads(done.stdout)
    assert (found["reached"], found["why_not"]) == (True, "")
    assert found["litellm"]["file"].startswith(str(fake_litellm.folder))
    program = "import litellm_patch; print(litellm_patch.__file__)"
    assert str(wheel) in run(sys.executable, "-c", program, path=path, cwd=tmp_path).stdout


def test_proxies_in_the_lab_find_it_on_the_path_and_do_not_have_it_on(wheel):
    program = (
        "from litellm_patch.tools.lab.proxy import *; print(clean_environment()['PYTHONPATH'])"
    )
    path = [f"{wheel}/litellm_patch/bootstrap", "/elsewhere", wheel]
    assert run(sys.executable, "-c", program, path=path).stdout.strip() == str(wheel)
