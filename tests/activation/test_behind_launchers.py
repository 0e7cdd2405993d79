"""``litellm-patch run`` in front of another launcher, whose start file hides ours."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from litellm_patch.bootstrap import LAUNCH_WITH_PATCH, with_patch
from litellm_patch.tools.cli import behind_agents

# How launchers read what they are to launch: each sets `command`.
PARSERS = {
    "takes the rest": "command = sys.argv[1:]",
    "has a subcommand": "assert sys.argv[1] == 'run-program'; command = sys.argv[2:]",
    "has options and abbreviations": """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--service_name")
parser.add_argument("--service_version")
parser.add_argument("program")
parser.add_argument("arguments", nargs=argparse.REMAINDER)
given = parser.parse_args()
command = [given.program, *given.arguments]
""",
    "has options, and knows no --": """
rest = sys.argv[1:]
while rest[0].startswith("-"):
    assert rest[0] != "--"
    del rest[: 2 if rest[0] == "-o" else 1]
command = rest
""",
}
CALLS = [
    ("takes the rest", []),
    ("has a subcommand", ["run-program"]),
    ("has options and abbreviations", []),
    ("has options and abbreviations", ["--"]),
    ("has options and abbreviations", ["--service_name", "printenv"]),
    ("has options and abbreviations", ["--service_name=x", "--service_version", "sh", "--"]),
    ("has options, and knows no --", []),
    ("has options, and knows no --", ["-v", "-o", "env"]),
]
IN_FRONT = "os.environ['PYTHONPATH'] = os.pathsep.join([start, os.environ['PYTHONPATH']])"
BEHIND = "os.environ['PYTHONPATH'] = os.pathsep.join([os.environ['PYTHONPATH'], start])"
PROGRAM = (
    "import builtins, sys; "
    "print(hasattr(builtins, 'theirs'), 'litellm_patch' in sys.modules, sys.argv[1:])"
)


class Launcher:
    """A launcher with a start file in its package, as agents have them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.starts = folder / "starts"
        package = folder / "someagent"
        (package / "start").mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "start" / "sitecustomize.py").write_text(
            f"import builtins; builtins.theirs = True\nopen({str(self.starts)!r}, 'a').write('x')\n"
        )
        self.script = folder / "someagent-run"
        self.environment = with_patch({**os.environ, "PYTHONPATH": str(folder)})

    def write(self, parser: str, path: str = IN_FRONT, before: str = "") -> None:
        (self.folder / "someagent" / "main.py").write_text(
            "import os, shutil, sys\n"
            "def main():\n"
            + "".join(f"    {line}\n" for line in f"{before}\n{PARSERS[parser]}".splitlines())
            + f"    start = {str(self.folder / 'someagent' / 'start')!r}\n"
            f"    {path}\n"
            "    os.execv(shutil.which(command[0]), command)\n"
        )
        self.script.write_text(
            f"#!{sys.executable}\nimport sys\nfrom someagent.main import main\nsys.exit(main())\n"
        )
        self.script.chmod(0o755)

    def run(self, *command: str, front: tuple[str, ...] = (), **more: str):
        return subprocess.run(
            [*LAUNCH_WITH_PATCH, *front, str(self.script), *command],
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture
def launcher(tmp_path) -> Launcher:
    return Launcher(tmp_path)


@pytest.mark.parametrize("parser, options", CALLS)
def test_both_start_files_run_and_the_arguments_arrive(launcher, parser, options):
    launcher.write(parser)
    done = launcher.run(*options, sys.executable, "-c", PROGRAM, "--service", "--", "x", "sh")
    assert done.stdout.strip() == "True True ['--service', '--', 'x', 'sh']", done.stderr
    assert done.stderr == ""


def test_also_behind_what_changes_the_environment_and_asking_starts_no_agent(launcher):
    launcher.write("takes the rest")
    done = launcher.run(sys.executable, "-c", PROGRAM, front=("env", "A=b", "nice", "-n", "1"))
    assert done.stdout.strip() == "True True []", done.stderr
    assert launcher.starts.read_text() == "xx"  # in our launcher behind theirs, and in the program


@pytest.mark.parametrize("path, word", [(BEHIND, "on"), (IN_FRONT, "off")])
def test_it_stays_in_front_where_ours_comes_first_or_is_switched_off(launcher, path, word):
    launcher.write("takes the rest", path=path)
    done = launcher.run(sys.executable, "-c", PROGRAM, LITELLM_PATCH=word)
    assert done.stdout.strip() == f"True {word == 'on'} []", done.stderr
    assert launcher.starts.read_text() == "x"


@pytest.mark.parametrize("words", [[], ["--help"], ["no-such-command"], ["--", "no-such-command"]])
def test_a_call_that_launches_nothing_is_not_changed(launcher, words):
    launcher.write("takes the rest")
    python = behind_agents.step_behind([str(launcher.script), *words], 0, launcher.environment)
    assert python is None


def test_one_that_does_not_answer_is_not_waited_for(launcher, monkeypatch):
    launcher.write("takes the rest", before="import time; time.sleep(60)")
    monkeypatch.setattr(behind_agents, "PATIENCE", 0.5)
    started = time.monotonic()
    command = [str(launcher.script), sys.executable, "x"]
    assert behind_agents.step_behind(command, 0, launcher.environment) is None
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("name", behind_agents.HIDES_OURS)
@pytest.mark.parametrize(
    "options, launched",
    [
        ([], ["litellm", "--config", "c.yaml"]),
        (["--traces_exporter", "none"], ["litellm", "--traces_exporter"]),
        (["--traces_exporter=none", "--service_name", "-"], ["python", "-m", "x", "--", "y"]),
        (["--service_name", "litellm"], ["litellm", "--port", "4000"]),
    ],
)
@pytest.mark.parametrize("dashes", [[], ["--"]])
def test_one_that_is_known_need_not_answer(name, options, launched, dashes, monkeypatch):
    monkeypatch.setattr(behind_agents, "PATIENCE", 0)
    other = f"/opt/venv/bin/{name}"
    stepped = behind_agents.step_behind([other, *options, *dashes, *launched], 0, {})
    assert stepped == [other, *options, "--", *LAUNCH_WITH_PATCH, *launched]


@pytest.mark.parametrize(
    "options", [[], ["--help"], ["--version", "sh"], ["--service_name", "x"], ["--"]]
)
def test_one_that_is_known_but_launches_nothing_is_not_changed(options, monkeypatch):
    monkeypatch.setattr(behind_agents, "PATIENCE", 0)
    other = "/opt/venv/bin/opentelemetry-instrument"
    assert behind_agents.step_behind([other, *options], 0, {}) is None


@pytest.mark.parametrize("language", ["python", "sh"])
def test_no_other_command_is_run_twice(launcher, language, tmp_path):
    log, script = tmp_path / "log", tmp_path / "script"
    if language == "sh":
        script.write_text(f"#!/bin/sh\necho ran >> {log}\n")
    else:
        script.write_text(
            f"#!{sys.executable}\nfrom json import dumps\nopen({str(log)!r}, 'a').write('ran\\n')\n"
        )
    script.chmod(0o755)
    done = subprocess.run([*LAUNCH_WITH_PATCH, str(script), "sh", "env"], env=launcher.environment)
    assert done.returncode == 0
    assert log.read_text() == "ran\n"
