"""``litellm-patch status``: it says what is, by asking the interpreters, and why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import has_native_header
from fake_litellm import OWN_TABLE

from litellm_patch.bootstrap import FOLDER, with_patch


@pytest.fixture
def status(fake_litellm, tmp_path):
    """Run the subcommand where the command ``litellm`` imports the fake LiteLLM."""
    commands = tmp_path / "bin"
    commands.mkdir()
    script = commands / "litellm"
    script.write_text(f"#!{sys.executable}\n")
    script.chmod(0o755)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    def run(*arguments: str, options=(), cwd=elsewhere, shebang=None, patched=False, **more: str):
        if shebang:
            script.write_text(shebang)
        environment = {key: value for key, value in os.environ.items() if key != "LITELLM_PATCH"}
        environment["PYTHONPATH"] = str(fake_litellm.folder)
        environment["PATH"] = f"{commands}{os.pathsep}{environment['PATH']}"
        if patched:
            environment = with_patch(environment)
        return subprocess.run(
            [sys.executable, *options, "-m", "litellm_patch", "status", *arguments],
            cwd=cwd,
            env={**environment, **more},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def found(done) -> dict:
    return json.loads(done.stdout)


def test_it_says_what_the_console_script_imports(status, fake_litellm):
    seen = found(status("--json"))
    assert seen["console_script"].endswith("bin/litellm")
    assert seen["litellm"]["file"] == str(fake_litellm.folder / "litellm/__init__.py")


def test_people_get_the_same_as_text(status):
    done = status()
    assert "patch on     NO: PYTHONPATH has no" in done.stdout
    assert "wrapt        " in done.stdout
    assert done.stderr == ""


def test_it_is_not_on_without_the_bootstrap_folder_and_says_how(status):
    done = status("--json")
    assert done.returncode == 1
    assert found(done)["reached"] is False
    assert FOLDER in found(done)["why_not"]
    assert "litellm-patch run" in found(done)["why_not"]


def test_it_is_on_with_it(status):
    assert found(status("--json", patched=True))["reached"] is True


def test_switched_off_is_the_reason(status):
    seen = found(status("--json", patched=True, LITELLM_PATCH="No"))
    assert (seen["reached"], seen["mode"], seen["why_not"]) == (False, "off", "LITELLM_PATCH=no")


@pytest.mark.parametrize(
    "written, option", [("-I", "-I"), ("-S", "-S"), ("-E", "-E"), ("-sE", "-E")]
)
def test_an_isolated_interpreter_is_the_reason(status, written, option):
    shebang = f"#!{sys.executable} {written}\n"
    seen = found(status("--json", patched=True, shebang=shebang))
    assert seen["reached"] is False
    assert seen["why_not"] == f"{option}: Python runs no sitecustomize from PYTHONPATH"


def test_another_sitecustomize_in_front_is_the_reason(status, fake_litellm, tmp_path):
    (tmp_path / "other").mkdir()
    theirs = tmp_path / "other" / "sitecustomize.py"
    theirs.write_text("")
    path = os.pathsep.join([str(theirs.parent), FOLDER, str(fake_litellm.folder)])
    why = found(status("--json", PYTHONPATH=path))["why_not"]
    assert why == f"another sitecustomize came first: {theirs}"


def test_an_own_sitecustomize_that_imports_it_is_enough(status, fake_litellm, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text("import litellm_patch\n")
    path = os.pathsep.join([str(tmp_path / "own"), str(fake_litellm.folder)])
    assert found(status("--json", PYTHONPATH=path))["reached"] is True


def test_a_second_tree_in_the_working_directory_is_warned_about(status, tmp_path):
    second = tmp_path / "checkout" / "litellm" / "__init__.py"
    second.parent.mkdir(parents=True)
    second.write_text("")
    seen = found(status("--json", cwd=tmp_path / "checkout"))
    assert str(second) in [copy["file"] for copy in seen["other_copies"]]
    assert any("python in this folder imports another" in text for text in seen["warnings"])


def test_the_copy_that_is_hidden_is_listed(status):
    seen = found(status("--json"))  # the fake hides the installed LiteLLM
    assert any("site-packages" in copy["file"] for copy in seen["other_copies"])
    assert any("more than one litellm" in text for text in seen["warnings"])


def test_a_script_that_is_no_python_is_said(status):
    seen = found(status("--json", shebang="#!/usr/bin/env bash\n"))
    assert any("cannot tell which Python runs" in text for text in seen["warnings"])


def test_a_script_with_a_long_path_is_understood(status, fake_litellm):
    shebang = f"#!/bin/sh\n'''exec' \"{sys.executable}\" \"$0\" \"$@\"\n' '''\n"
    seen = found(status("--json", shebang=shebang))
    assert seen["litellm"]["file"].startswith(str(fake_litellm.folder))
    assert seen["warnings"] == [
        "more than one litellm: the proxy imports " + seen["litellm"]["file"]
    ]


def test_a_script_whose_python_is_gone_is_no_traceback(status):
    done = status("--json", shebang="#!/no/such/python3\n")
    assert done.returncode == 3
    assert "cannot ask the proxy's interpreter" in found(done)["why_not"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    "line, told",
    [
        ("import no_such_module_here", "No module named 'no_such_module_here'"),
        ("raise ValueError('sk-topsecret')", ": ValueError"),
        ("sys.exit('topsecret: x')", ": exit status 1"),
    ],
)
def test_a_proxy_that_cannot_be_imported_is_told_without_secrets(status, fake_litellm, line, told):
    fake_litellm.write("litellm/proxy/proxy_server.py", f"import sys\n{line}\n")
    for done in (status("--json", patched=True), status(patched=True)):
        assert told in done.stdout
        assert "topsecret" not in done.stdout + done.stderr


def test_an_unknown_word_is_a_warning(status):
    texts = found(status("--json", LITELLM_PATCH="offf"))["warnings"]
    assert any("'offf' is not on, off or strict" in text for text in texts)


def test_seams_that_do_not_fit_are_not_good(status):
    done = status("--json", patched=True)  # the fake has none of the real places
    states = {seam["state"] for seam in found(done)["seams"]}
    assert "skipped" in states
    assert (done.returncode, found(done)["good"]) == (1, False)


def test_where_nothing_is_left_to_do_it_says_so(status, fake_litellm):
    """Only where the release does it all by itself; a source patch of ours must stay."""
    table = "table.SEAMS = (dataclasses.replace(SEAM, unneeded=lambda module: 'LiteLLM does'),)\n"
    fake_litellm.write("sitecustomize.py", f"import dataclasses\n{OWN_TABLE}\n{table}")
    done = status(patched=True)
    assert "left to do     nothing left to do on litellm" in done.stdout, done.stdout
    assert found(status("--json", patched=True))["nothing_left"] is True
    marked = "LITELLM_PATCH_IN_SOURCE = True\n"
    fake_litellm.write("litellm/types/router.py", marked)
    loads = "import litellm.types.router, litellm.proxy._types\n"
    fake_litellm.write("litellm/proxy/proxy_server.py", loads)
    seen = found(status("--json", patched=True))
    assert {seam["reason"] for seam in seen["seams"]} == {"source patch"}
    assert (seen["good"], seen["nothing_left"]) == (True, False)


def test_on_the_installed_litellm_everything_is_good_under_the_launcher():
    """Also the example for CI: the launcher in front of the question."""
    commands = Path(sys.executable).parent
    done = subprocess.run(
        [sys.executable, "-m", "litellm_patch", "run", "--"]
        + [sys.executable, "-m", "litellm_patch", "status", "--json"],
        env={**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    seen = found(done)
    assert (done.returncode, seen["good"]) == (0, True), seen
    assert {seam["state"] for seam in seen["seams"]} <= {"applied", "native"}
    assert seen["litellm"]["release"] == version("litellm")
    assert seen["litellm"]["native"] is has_native_header()
    assert seen["wrapt"] == version("wrapt")
