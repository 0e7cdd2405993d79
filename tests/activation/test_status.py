"""``litellm-patch status``: it says what is, by asking the interpreters, and why."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import has_native_header
from fake_litellm import OWN_TABLE, ROOT, run

from litellm_patch.bootstrap import FOLDER, LAUNCH_WITH_PATCH


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

    def ask(*arguments: str, cwd=elsewhere, shebang=None, patched=False, **more: str):
        if shebang:
            script.write_text(shebang)
        environment = {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", **more}
        path = [*([FOLDER] if patched else []), fake_litellm.folder]
        command = [sys.executable, "-m", "litellm_patch", "status", *arguments]
        return run(*command, path=path, cwd=cwd, **environment)

    return ask


def found(done) -> dict:
    return json.loads(done.stdout)


def test_it_says_what_the_console_script_imports_and_how_to_turn_it_on(status, fake_litellm):
    done = status("--json")
    seen = found(done)
    assert seen["console_script"].endswith("bin/litellm")
    assert seen["litellm"]["file"] == str(fake_litellm.folder / "litellm/__init__.py")
    assert (done.returncode, seen["reached"]) == (1, False)
    assert FOLDER in seen["why_not"]
    assert "litellm-patch run" in seen["why_not"]
    # The fake hides the installed LiteLLM.
    assert any("site-packages" in copy["file"] for copy in seen["other_copies"])
    assert any("more than one litellm" in text for text in seen["warnings"])


def test_people_get_the_same_as_text(status):
    done = status()
    assert "patch on     NO: PYTHONPATH has no" in done.stdout
    assert "wrapt        " in done.stdout
    assert done.stderr == ""


ISOLATED = "{}: Python runs no sitecustomize from PYTHONPATH"


@pytest.mark.parametrize(
    "options, word, why",
    [
        ("", "on", ""),
        ("", "No", "LITELLM_PATCH=no"),
        (" -I", "on", ISOLATED.format("-I")),
        (" -S", "on", ISOLATED.format("-S")),
        (" -E", "on", ISOLATED.format("-E")),
        (" -sE", "on", ISOLATED.format("-E")),
    ],
)
def test_why_it_is_not_on_although_the_folder_is_on_the_path(status, options, word, why):
    shebang = f"#!{sys.executable}{options}\n"
    seen = found(status("--json", patched=True, shebang=shebang, LITELLM_PATCH=word))
    assert (seen["reached"], seen["why_not"]) == (not why, why)
    assert seen["mode"] == ("off" if word == "No" else "on")


@pytest.mark.parametrize("imports_ours", [True, False])
def test_an_own_sitecustomize_in_front(status, fake_litellm, tmp_path, imports_ours):
    (tmp_path / "own").mkdir()
    own = tmp_path / "own" / "sitecustomize.py"
    own.write_text("import litellm_patch\n" * imports_ours)
    path = os.pathsep.join([str(own.parent), FOLDER, str(fake_litellm.folder)])
    seen = found(status("--json", PYTHONPATH=path))
    assert seen["reached"] is imports_ours
    if not imports_ours:
        assert seen["why_not"] == f"another sitecustomize came first: {own}"


def test_a_second_tree_in_the_working_directory_is_warned_about(status, tmp_path):
    second = tmp_path / "checkout" / "litellm" / "__init__.py"
    second.parent.mkdir(parents=True)
    second.write_text("")
    seen = found(status("--json", cwd=tmp_path / "checkout"))
    assert str(second) in [copy["file"] for copy in seen["other_copies"]]
    assert any("python in this folder imports another" in text for text in seen["warnings"])


def test_a_script_that_is_no_python_is_said(status):
    seen = found(status("--json", shebang="#!/usr/bin/env bash\n"))
    assert any("cannot tell which Python runs" in text for text in seen["warnings"])


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
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    asked = [sys.executable, "-m", "litellm_patch", "status", "--json"]
    done = run(*LAUNCH_WITH_PATCH, *asked, path=[ROOT], PATH=path)
    seen = found(done)
    assert (done.returncode, seen["good"]) == (0, True), seen
    assert {seam["state"] for seam in seen["seams"]} <= {"applied", "native"}
    assert seen["litellm"]["release"] == version("litellm")
    assert seen["litellm"]["native"] is has_native_header()
    assert seen["wrapt"] == version("wrapt")
