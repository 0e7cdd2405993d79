"""``litellm-patch run`` tells when the patch will not be on in the command, and what to do."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from fake_litellm import run

import litellm_patch
from litellm_patch.bootstrap import LAUNCH_WITH_PATCH
from litellm_patch.tools.survey import outlook as survey
from litellm_patch.tools.survey.command import python_of, start_options

SAYS = "import sys\nprint('litellm_patch' in sys.modules)\n"


def script(file: Path, shebang: str, content: bytes = SAYS.encode()) -> Path:
    file.write_bytes(f"#!{shebang}\n".encode() + content)
    file.chmod(0o755)
    return file


def assert_told(words: str, *command: object) -> str:
    """The command runs unpatched, one line says why; strict mode does not run it. Returns it."""
    for mode, status, printed in (("on", 0, "False\n"), ("strict", 78, "")):
        done = run(*LAUNCH_WITH_PATCH, *command, LITELLM_PATCH=mode)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, printed, 1)
        assert words in done.stderr
        if mode == "on":
            said = done.stderr
            assert said.startswith("litellm-patch run: the patch will be off: ")
    off = run(*LAUNCH_WITH_PATCH, *command, LITELLM_PATCH="off")
    assert (off.returncode, off.stdout, off.stderr) == (0, "False\n", "")
    return said


def assert_on(*command: object, on: str = "True\n") -> None:
    """The command runs and nothing is said, in strict mode too."""
    for mode in ("on", "strict"):
        done = run(*LAUNCH_WITH_PATCH, *command, LITELLM_PATCH=mode)
        assert (done.returncode, done.stdout, done.stderr) == (0, on, "")


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Path:
    """Another environment, as pipx and ``uv tool`` make them; a LiteLLM can be put into it."""
    folder = tmp_path_factory.mktemp("tools") / "other"
    venv.create(folder, with_pip=False, symlinks=True)
    return folder


@pytest.fixture
def packages(other) -> Path:
    """Its packages: a LiteLLM of no lines."""
    (folder,) = other.glob("lib/python*/site-packages")
    shutil.rmtree(folder)
    write_package(folder / "litellm")
    return folder


def install_ours(packages: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "patches")
    ours = packages / "litellm_patch"
    shutil.copytree(Path(litellm_patch.__file__).parent, ours, ignore=ignored)
    write_package(packages / "wrapt")
    return ours


def write_package(folder: Path) -> None:
    """Without a line in it."""
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")


@pytest.mark.parametrize("options", ["-E", "-X utf8 -I"])
def test_a_script_whose_first_line_keeps_start_files_out(options, tmp_path):
    litellm = script(tmp_path / "litellm", f"/usr/bin/env -S {sys.executable} {options}")
    said = assert_told("so that no start file is run", litellm)
    (advice,) = re.findall(r"start it by litellm-patch run -- (.*)", said)
    assert_on(*shlex.split(advice))


@pytest.mark.parametrize("options", [["-I"], ["-bE", "-W", "ignore"]])
def test_an_interpreter_with_such_options(options):
    assert_told("leave that out", sys.executable, *options, "-c", SAYS)


def test_other_options_of_the_first_line_are_nothing_to_tell(tmp_path):
    assert_on(script(tmp_path / "litellm", f"{sys.executable} -su"))


def test_a_start_file_of_the_operators_own_is_nothing_to_tell(other, packages, tmp_path):
    """With -E that of site-packages is still run, and may import litellm_patch."""
    install_ours(packages)
    (packages / "sitecustomize.py").write_text("import litellm_patch\n")
    assert_on(script(tmp_path / "litellm", f"{other}/bin/python -E"))


def test_a_script_with_a_long_path_is_understood(tmp_path):
    second = f"'''exec' \"{sys.executable}\" -E \"$0\" \"$@\"\n' '''\n"
    long = script(tmp_path / "x", "/bin/sh", f"{second}{SAYS}".encode())
    assert_told("runs Python with -E", long)


def test_litellm_in_another_environment(other, packages, tmp_path):
    python = other / "bin" / "python"
    litellm = script(tmp_path / "litellm", str(python))
    assert_told(f"litellm_patch is not installed for {python}", litellm)
    ours = install_ours(packages)
    assert_on(litellm)
    shutil.rmtree(packages / "wrapt")
    done = run(*LAUNCH_WITH_PATCH, litellm, LITELLM_PATCH="strict")
    assert done.returncode == 78
    assert "wrapt is not installed for" in done.stderr
    write_package(packages / "wrapt")
    (ours / "trigger.py").write_bytes(bytes(100))
    assert_told("is damaged (", litellm)


@pytest.mark.parametrize("inside", ["site-packages/", ".deps/litellm-1.0-py3-none-any.whl/", ""])
def test_an_archive_of_another_environment(inside, other, packages, tmp_path):
    """shiv, and every zipapp: start files run before it, so what is in it is not there yet."""
    shutil.rmtree(packages / "litellm")
    litellm = archive(tmp_path, other, {f"{inside}litellm/__init__.py": ""})
    assert_told("build litellm_patch in", litellm)
    install_ours(packages)
    assert_on(litellm)


@pytest.mark.parametrize("inherits", ["false", "prefer"])
def test_a_pex_runs_isolated_but_for_one_that_inherits(inherits, other, packages, tmp_path):
    install_ours(packages)
    isolated = (
        "import os, sys\n"
        "if not sys.flags.isolated: os.execv(sys.executable, [sys.executable, '-I', *sys.argv])\n"
    )
    content = {
        "PEX-INFO": f'{{"inherit_path": "{inherits}"}}',
        ".deps/litellm-1.0-py3-none-any.whl/litellm/__init__.py": "",
        "__main__.py": (isolated if inherits == "false" else "") + SAYS,
    }
    pex = archive(tmp_path, other, content)
    if inherits == "false":
        assert_told("is a PEX, which ignores PYTHONPATH", pex)
    else:
        assert_on(pex)


def archive(folder: Path, environment: Path, content: dict[str, str]) -> Path:
    with zipfile.ZipFile(folder / "zip", "w") as file:
        for name, text in {"__main__.py": SAYS, **content}.items():
            file.writestr(name, text)
    shebang = str(environment / "bin" / "python")
    return script(folder / "litellm.pyz", shebang, (folder / "zip").read_bytes())


@pytest.mark.parametrize(
    "front", ["env -i", "env -uPYTHONPATH", "env -u PYTHONPATH", "env PYTHONPATH="]
)
def test_what_takes_the_path_away(front):
    assert_told("env takes PYTHONPATH away", *front.split(), sys.executable, "-c", SAYS)


@pytest.mark.parametrize("kind", ["script", "archive"])
def test_what_has_no_litellm_is_nothing_to_tell(kind, other, packages, tmp_path):
    """It may be a supervisor, which starts LiteLLM by another Python."""
    shutil.rmtree(packages / "litellm")
    if kind == "script":
        command = script(tmp_path / "supervisor", f"{other}/bin/python")
    else:
        command = archive(tmp_path, other, {"tool/__init__.py": ""})
    assert_on(command, on="False\n")


@pytest.mark.parametrize(
    "command, says",
    [
        ("env A=b nice {python} -c", "True\n"),
        ("nice -n 1 {python} -c", "True\n"),
        ("timeout -s KILL 60s {python} -c", "True\n"),
        ("setsid -w {python} -c", "True\n"),
        ("env echo", f"{SAYS}\n"),
        ("sh -c '{python} -E -c \"$0\"'", "False\n"),
    ],
)
def test_what_leaves_the_path_and_what_is_no_python_is_nothing_to_tell(command, says):
    python = shlex.quote(sys.executable)
    assert_on(*shlex.split(command.format(python=python)), SAYS, on=says)


@pytest.mark.parametrize("name", ["litellm", "python"])
@pytest.mark.parametrize("content", [b"'''exec' \"unended\n", bytes(30), b"\xff\n"])
def test_a_script_that_cannot_be_read_simply_starts(name, content, tmp_path):
    assert_on(script(tmp_path / name, "/bin/sh", b"exit 0\n" + content), on="")


@pytest.mark.parametrize("answer", ["exit 5", "kill -9 $$", "echo litellm-patch-survey:no JSON"])
def test_what_cannot_be_told_is_not_told(answer, tmp_path):
    """The command starts all the same."""
    python = tmp_path / "python"
    says = f'case "$*" in *child.py*) {answer}; exit;; esac\nexec {sys.executable} "$@"\n'
    script(python, "/bin/sh", says.encode())
    done = run(*LAUNCH_WITH_PATCH, python, "-c", SAYS, LITELLM_PATCH="strict")
    assert (done.returncode, done.stdout) == (0, "True\n")
    assert done.stderr.count("\n") <= 1


def test_an_answer_that_does_not_come_is_not_waited_for(monkeypatch, tmp_path):
    monkeypatch.setattr(survey, "PATIENCE", 0.5)
    answers = f'sleep 60; exec {sys.executable} "$@"\n'  # too late
    python = script(tmp_path / "python", "/bin/sh", answers.encode())
    command = ["env", "-u", "PYTHONPATH", str(python), "-c", "pass"]
    assert survey.outlook(command, python_of(command), os.environ) == survey.Outlook()


@pytest.mark.parametrize(
    "words, letters",
    [
        ("", ""),
        ("script -E", ""),
        ("-m litellm -E", ""),
        ("-Im litellm", "I"),
        ("-u -sE script", "sE"),
        ("-c pass -I", ""),
        ("-W E -S x", "S"),
        ("-WE x", ""),
        ("-X utf8 -P x", "P"),
        ("-- -E", ""),
        ("--check-hash-based-pycs always -E", ""),
        ("-", ""),
    ],
)
def test_options_of_the_interpreter(words, letters):
    assert sorted(start_options(words.split())) == sorted(f"-{letter}" for letter in letters)
