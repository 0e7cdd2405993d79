"""``litellm-patch run`` in front of another launcher, whose start file hides ours."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from textwrap import indent

import pytest
from fake_litellm import ROOT, run

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


@pytest.fixture
def launcher(tmp_path):
    """Make a launcher with a start file in its package, as agents have them."""
    start = tmp_path / "someagent" / "start"
    start.mkdir(parents=True)
    note = f"open({str(tmp_path / 'starts')!r}, 'a').write('x')\n"
    (start / "sitecustomize.py").write_text(f"import builtins; builtins.theirs = True\n{note}")

    def make(parser: str = "takes the rest", path: str = IN_FRONT, before: str = "") -> str:
        (start.parent / "main.py").write_text(
            "import os, shutil, sys\n"
            f"def main():\n{indent(f'{before}{PARSERS[parser]}', '    ')}\n"
            f"    start = {str(start)!r}\n"
            f"    {path}\n"
            "    os.execv(shutil.which(command[0]), command)\n"
        )
        program = "import sys\nfrom someagent.main import main\nsys.exit(main())\n"
        return script(tmp_path / "someagent-run", program)

    return make


def script(file: Path, program: str, interpreter: str = sys.executable) -> str:
    file.write_text(f"#!{interpreter}\n{program}")
    file.chmod(0o755)
    return str(file)


@pytest.fixture
def launch(tmp_path):
    """Run a command behind our launcher."""
    return partial(run, *LAUNCH_WITH_PATCH, path=[tmp_path, ROOT])


@pytest.fixture
def step_behind(tmp_path):
    """Ask where our launcher must stand in a command."""
    environment = with_patch({**os.environ, "PYTHONPATH": str(tmp_path)})
    return lambda *command: behind_agents.step_behind(command, 0, environment)


@pytest.mark.parametrize("parser, options", CALLS)
def test_both_start_files_run_and_the_arguments_arrive(launcher, launch, parser, options):
    launched = [sys.executable, "-c", PROGRAM, "--service", "--", "x", "sh"]
    done = launch(launcher(parser), *options, *launched)
    assert done.stdout.strip() == "True True ['--service', '--', 'x', 'sh']", done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize(
    "front, path, word, starts",
    [
        # The agent starts in our launcher behind its own, and in the program, but not to be asked.
        ("env A=b nice -n 1", IN_FRONT, "on", "xx"),
        ("", BEHIND, "on", "x"),
        ("", IN_FRONT, "off", "x"),
    ],
    ids=["changes the environment", "ours is first", "switched off"],
)
def test_it_steps_behind_only_where_it_must(launcher, launch, tmp_path, front, path, word, starts):
    command = [*front.split(), launcher(path=path), sys.executable, "-c", PROGRAM]
    done = launch(*command, LITELLM_PATCH=word)
    assert done.stdout.strip() == f"True {word == 'on'} []", done.stderr
    assert (tmp_path / "starts").read_text() == starts


@pytest.mark.parametrize("words", [[], ["--help"], ["no-such-command"], ["--", "no-such-command"]])
def test_a_call_that_launches_nothing_is_not_changed(launcher, step_behind, words):
    assert step_behind(launcher(), *words) is None


def test_one_that_does_not_answer_is_not_waited_for(launcher, step_behind, monkeypatch):
    monkeypatch.setattr(behind_agents, "PATIENCE", 0.5)
    sleeps = launcher(before="import time; time.sleep(60)\n")  # and would tell after that
    assert step_behind(sleeps, sys.executable, "x") is None


@pytest.mark.parametrize("interpreter", [sys.executable, "/bin/sh"])
def test_no_other_command_is_run_twice(launch, tmp_path, interpreter):
    log = tmp_path / "log"
    append = f"echo ran >> {log}\n"
    if interpreter == sys.executable:
        append = f"from json import dumps\nopen({str(log)!r}, 'a').write('ran\\n')\n"
    done = launch(script(tmp_path / "script", append, interpreter), "sh", "env")
    assert done.returncode == 0
    assert log.read_text() == "ran\n"
