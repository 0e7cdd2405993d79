"""``LITELLM_PATCH``: off, on, strict, unknown words; and how the start is judged."""

from __future__ import annotations

import pytest
from fake_litellm import MODULES, OWN_TABLE

from litellm_patch.switch import STRICT_EXIT

LOAD = "import litellm.proxy.proxy_server\n"
IMPORT_ALL = OWN_TABLE + LOAD + "print(state())\n"
MORE = OWN_TABLE + (
    "import dataclasses, os\n"
    "def seam(name, module=SEAM.module, **more):\n"
    "    return dataclasses.replace(SEAM, name=name, module=module, **more)\n"
)
CLASS = MODULES["litellm/proxy/_types.py"]

NEWER = "table.SEAMS += (seam('other', parameters=('text',)),)\n"
CANNOT_BE_APPLIED = {
    ("skipped", "Error.__init__ has no parameter text"): NEWER,
    ("failed", "ZeroDivisionError: ours"): (
        "class Failing:\n"
        "    def attach(self, module, seam, reached): raise ZeroDivisionError('ours')\n"
        "table.SEAMS += (seam('other', joint=Failing()),)\n"
    ),
    ("skipped", "this release has no module litellm.a"): (
        "table.SEAMS += (seam('other', 'litellm.a'),)\n"
    ),
}


@pytest.mark.parametrize("word", ["", "on", "1", "true", "YES", " strict "])
def test_known_words_turn_it_on_in_silence(fake_litellm, word):
    done = fake_litellm.run(IMPORT_ALL, LITELLM_PATCH=word)
    assert done.stdout.strip() == "('applied', '')"
    assert "WARNING" not in done.stderr


@pytest.mark.parametrize("word", ["off", "0", "False", "NO", "  off\t"])
def test_off_applies_nothing_and_says_nothing(fake_litellm, word):
    program = f"import litellm_patch\n{IMPORT_ALL}litellm_patch.activate()\nprint(state())\n"
    done = fake_litellm.run(program, LITELLM_PATCH=word)
    assert done.stdout.splitlines() == ["('waiting', '')"] * 2
    assert done.stderr == ""


@pytest.mark.parametrize("word", ["offf", "stric", "2", "nein", "\u00f6ff", "x" * 5000])
def test_an_unknown_word_means_on_and_is_told_once(fake_litellm, word):
    program = IMPORT_ALL + "import litellm_patch\nlitellm_patch.activate()\n"
    done = fake_litellm.run(program, LITELLM_PATCH=word)
    assert done.stdout.strip() == "('applied', '')"
    (warning,) = [line for line in done.stderr.splitlines() if "WARNING" in line]
    assert "it means on" in warning
    assert len(warning) < 200
    assert fake_litellm.run("import litellm_patch", LITELLM_PATCH=word).stderr == ""


# What LiteLLM itself does around its imports must not swallow it.
HOSTS = {
    "plain": "import litellm.proxy.proxy_server",
    "except Exception": "try:\n    import litellm.proxy.proxy_server\nexcept Exception: pass",
    "bare except": "try:\n    import litellm.proxy.proxy_server\nexcept: pass",
    "thread": "def work(): import litellm.proxy.proxy_server\n"
    "t = threading.Thread(target=work); t.start(); t.join()",
    "no stderr": "stderr, sys.stderr = sys.stderr, None\nimport litellm.proxy.proxy_server",
}


@pytest.mark.parametrize("host", HOSTS)
def test_strict_stops_the_process_when_a_seam_does_not_fit(fake_litellm, host):
    program = MORE + NEWER + HOSTS[host] + "\nprint('went on')\n"
    done = fake_litellm.run(program, LITELLM_PATCH="strict")
    assert (done.returncode, done.stdout) == (STRICT_EXIT, "")
    stopped = [line for line in done.stderr.splitlines() if "stopped by" in line]
    assert len(stopped) == (host != "no stderr")
    for line in stopped:
        assert "seam other skipped: Error.__init__ has no parameter text" in line
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("state, reason", CANNOT_BE_APPLIED)
def test_a_seam_that_cannot_be_applied_is_told_once_and_stops_under_strict(
    fake_litellm, state, reason
):
    program = MORE + CANNOT_BE_APPLIED[state, reason] + LOAD + "print(state('other'))\n"
    done = fake_litellm.run(program)
    assert done.stdout.strip() == str((state, reason))
    assert done.stderr.count(f"seam other {state}") == 1
    assert "1/2 seams" in done.stderr
    strict = fake_litellm.run(program, LITELLM_PATCH="strict")
    assert (strict.returncode, strict.stdout) == (78, "")  # EX_CONFIG, as the README says
    assert f"seam other {state}: {reason}" in strict.stderr


def test_without_wrapt_litellm_is_imported_and_strict_stops(fake_litellm):
    fake_litellm.write("wrapt.py", "raise ImportError('no wrapt here')\n")
    program = "import litellm_patch\ntry:\n    import litellm\nexcept: pass\nprint('went on')"
    strict = fake_litellm.run(program, LITELLM_PATCH="strict")
    assert (strict.returncode, strict.stdout) == (STRICT_EXIT, "")
    assert "no wrapt here" in strict.stderr
    done = fake_litellm.run(program)
    assert done.stdout.strip() == "went on"
    assert done.stderr.count("litellm_patch: not active, LiteLLM is unchanged") == 1


NOT_NEEDED = {
    # The seams, why one of them is not needed, and the end of the line that is said.
    "a place": (
        "table.SEAMS += (seam('other', unneeded=lacks('Limit')),)",
        "this release has no Limit",
        "1/1 seams, not needed there: other",
    ),
    "a module": (
        "table.SEAMS += (seam('other', 'litellm.gone', unneeded=lacks('Gone')),)",
        "this release has no module litellm.gone",
        "1/1 seams, not needed there: other",
    ),
    "everything": (
        "table.SEAMS = (seam('other', unneeded=lambda module: 'LiteLLM does it'),)",
        "LiteLLM does it",
        ": litellm_patch can be removed",
    ),
    "the shim": (
        "table.SEAMS = (seam('other'),); import litellm.types.router",
        "source patch",
        " has a source patch",
    ),
}


@pytest.mark.parametrize("what", NOT_NEEDED)
def test_what_is_not_needed_is_native_and_said_once_and_strict_accepts_it(fake_litellm, what):
    seams, reason, told = NOT_NEEDED[what]
    fake_litellm.write("litellm/types/router.py", "LITELLM_PATCH_IN_SOURCE = True\n")
    program = f"{MORE}{seams}\n{LOAD}" + (
        "import litellm_patch\n"
        "litellm_patch.deactivate(); litellm_patch.activate(); print(state('other'))\n"
    )
    done = fake_litellm.run(program, LITELLM_PATCH="strict")
    assert done.stdout.strip() == str(("native", reason))
    (line,) = done.stderr.splitlines()
    assert line.startswith("INFO: ")
    assert line.endswith(told)


def test_a_module_that_is_loaded_later_goes_on_waiting_and_is_named(fake_litellm):
    fake_litellm.write("litellm/later.py", CLASS)
    program = MORE + "table.SEAMS += (seam('later', 'litellm.later'),)\n" + LOAD
    program += "print(state('later')[0])\nimport litellm.later\nprint(state('later')[0])"
    done = fake_litellm.run(program, LITELLM_PATCH="strict")
    assert done.stdout.split() == ["waiting", "applied"]
    assert done.stderr.endswith("1/2 seams, waiting for their modules: later\n"), done.stderr


# Turned on when the proxy is there already: the start is judged when all seams have been.

LATE = (
    "import os; word = os.environ['LITELLM_PATCH']; os.environ['LITELLM_PATCH'] = 'off'\n"
    + MORE
    + "table.SEAMS = (SEAM, seam('later', 'litellm.router'), seam('z', 'litellm.types.z'))\n"
    "import litellm.router, litellm.proxy.proxy_server\n"
)
ON = "os.environ['LITELLM_PATCH'] = word; import litellm_patch; litellm_patch.activate()\n"


@pytest.fixture
def tree(fake_litellm):
    """With a module of each kind that the table of seams has, before the proxy and after it."""
    for path in ("litellm/router.py", "litellm/types/z.py"):
        fake_litellm.write(path, CLASS)
    return fake_litellm


@pytest.mark.parametrize("half", [True, False], ids=["by its own import", "by the program"])
def test_the_proof_line_counts_every_seam_also_what_is_half_imported(tree, half):
    tree.write("litellm/types/z.py", "import activated_here\n" * half + CLASS)
    tree.write("activated_here.py", "import os\nword = 'on'\n" + ON)
    program = LATE + "import litellm.types.z\n" + ON * (not half)
    program += "[t.join(20) for t in threading.enumerate() if 'litellm_patch' in t.name]\n"
    done = tree.run(program, LITELLM_PATCH="on")
    assert [line.rpartition(", ")[2] for line in done.stderr.splitlines()] == ["3/3 seams"]


def test_strict_judges_every_seam(tree):
    tree.write("litellm/types/z.py", "class Error: pass\n")
    done = tree.run(LATE + "import litellm.types.z\n" + ON, LITELLM_PATCH="strict")
    assert done.returncode == STRICT_EXIT
    assert "seam z skipped" in done.stderr
