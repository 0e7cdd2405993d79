"""``LITELLM_PATCH``: off, on, strict, and words that it does not know."""

from __future__ import annotations

import pytest
from fake_litellm import OWN_TABLE

from litellm_patch.switch import STRICT_EXIT

IMPORT_ALL = OWN_TABLE + "import litellm.proxy.proxy_server\nprint(state())\n"
NEWER = "class Error(Exception):\n    def __init__(self, text):\n        pass\n"


@pytest.mark.parametrize("word", ["", "on", "1", "true", "YES", " strict "])
def test_known_words_turn_it_on_in_silence(fake_litellm, word):
    done = fake_litellm.run(IMPORT_ALL, LITELLM_PATCH=word)
    assert done.stdout.strip() == "('applied', '')"
    assert "WARNING" not in done.stderr


@pytest.mark.parametrize("word", ["off", "0", "False", "NO", "  off\t"])
def test_off_applies_nothing_and_says_nothing(fake_litellm, word):
    program = IMPORT_ALL + "litellm_patch.activate()\nprint(state())\n"
    program = program.replace("import importlib", "import litellm_patch, importlib")
    done = fake_litellm.run(program, LITELLM_PATCH=word)
    assert done.stdout.splitlines() == ["('waiting', '')"] * 2
    assert done.stderr == ""


@pytest.mark.parametrize("word", ["offf", "stric", "2", "nein", "\u00f6ff", "x" * 5000])
def test_an_unknown_word_means_on_and_is_told_once(fake_litellm, word):
    done = fake_litellm.run(
        IMPORT_ALL + "import litellm_patch\nlitellm_patch.activate()\n", LITELLM_PATCH=word
    )
    assert done.stdout.strip() == "('applied', '')"
    warnings = [line for line in done.stderr.splitlines() if "WARNING" in line]
    assert len(warnings) == 1
    assert "it means on" in warnings[0]
    assert len(warnings[0]) < 200


def test_an_unknown_word_is_not_told_where_litellm_is_not_imported(fake_litellm):
    assert fake_litellm.run("import litellm_patch", LITELLM_PATCH="offf").stderr == ""


# What LiteLLM itself does around its imports must not swallow it.
HOSTS = {
    "plain": "import litellm.proxy.proxy_server",
    "except Exception": "try:\n    import litellm.proxy.proxy_server\nexcept Exception: pass",
    "bare except": "try:\n    import litellm.proxy.proxy_server\nexcept: pass",
    "thread": "def work(): import litellm.proxy.proxy_server\n"
    "t = threading.Thread(target=work); t.start(); t.join()",
}


@pytest.mark.parametrize("host", HOSTS)
def test_strict_stops_the_process_when_a_seam_does_not_fit(fake_litellm, host):
    fake_litellm.write("litellm/proxy/_types.py", NEWER)
    program = OWN_TABLE + HOSTS[host] + "\nprint('went on')\n"
    done = fake_litellm.run(program, LITELLM_PATCH="strict")
    assert (done.returncode, done.stdout) == (STRICT_EXIT, "")
    stopped = [line for line in done.stderr.splitlines() if "stopped by" in line]
    assert len(stopped) == 1
    assert "seam error skipped: Error.__init__ has no parameter message" in stopped[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("word", ["on", "strict"])
def test_without_strict_it_is_one_warning(fake_litellm, word):
    fake_litellm.write("litellm/proxy/_types.py", NEWER)
    done = fake_litellm.run(IMPORT_ALL, LITELLM_PATCH=word)
    if word == "on":
        assert done.stdout.strip() == "('skipped', 'Error.__init__ has no parameter message')"
        assert done.stderr.count("seam error skipped") == 1
    else:
        assert done.returncode == STRICT_EXIT


FAILING = """
class Failing:
    def attach(self, module, seam, reached):
        raise ZeroDivisionError("ours")
import dataclasses
table.SEAMS = (dataclasses.replace(SEAM, joint=Failing()),)
"""


def test_a_failing_hook_fails_no_import_and_stops_under_strict(fake_litellm):
    program = OWN_TABLE + FAILING + "import litellm.proxy.proxy_server\nprint(state())"
    done = fake_litellm.run(program)
    assert done.stdout.strip() == "('failed', 'ZeroDivisionError: ours')"
    assert done.stderr.count("seam error failed") == 1
    strict = fake_litellm.run(program, LITELLM_PATCH="strict")
    assert (strict.returncode, strict.stdout) == (78, "")  # EX_CONFIG, as the README says
    assert "ZeroDivisionError: ours" in strict.stderr


def test_strict_stops_when_even_wrapt_is_missing(fake_litellm):
    fake_litellm.write("wrapt.py", "raise ImportError('no wrapt here')\n")
    program = "import litellm_patch\ntry:\n    import litellm\nexcept: pass\nprint('went on')"
    done = fake_litellm.run(program, LITELLM_PATCH="strict")
    assert (done.returncode, done.stdout) == (STRICT_EXIT, "")
    assert "no wrapt here" in done.stderr
    assert fake_litellm.run(program).stdout.strip() == "went on"


def test_strict_stops_with_no_stderr_at_all(fake_litellm):
    fake_litellm.write("litellm/proxy/_types.py", NEWER)
    program = OWN_TABLE + "sys.stderr = None\nimport litellm.proxy.proxy_server"
    done = fake_litellm.run(program, LITELLM_PATCH="strict")
    assert (done.returncode, done.stderr) == (STRICT_EXIT, "")


def test_a_module_that_the_release_lacks_is_told_once_when_the_proxy_is_loaded(fake_litellm):
    table = OWN_TABLE + (
        "import dataclasses\n"
        "table.SEAMS += (dataclasses.replace(SEAM, name='gone', module='litellm.a.b'),)\n"
    )
    program = table + "import litellm.proxy.proxy_server\nprint(state('gone'))"
    done = fake_litellm.run(program)
    assert done.stdout.strip() == "('skipped', 'this release has no module litellm.a.b')"
    assert done.stderr.count("seam gone skipped") == 1
    assert "1/2 seams" in done.stderr
    assert fake_litellm.run(program, LITELLM_PATCH="strict").returncode == STRICT_EXIT


NATIVE = OWN_TABLE + (
    "import dataclasses\n"
    "table.SEAMS = (SEAM, dataclasses.replace(SEAM, name='limit', unneeded=lacks('Limit')),\n"
    "    dataclasses.replace(SEAM, name='gone', module='litellm.gone', unneeded=lacks('Gone')))\n"
    "import litellm.proxy.proxy_server\nprint(state('limit'), state('gone'))"
)


def test_what_a_release_does_not_need_is_native_and_strict_accepts_it(fake_litellm):
    done = fake_litellm.run(NATIVE, LITELLM_PATCH="strict")
    assert done.stdout.strip() == (
        "('native', 'this release has no Limit') "
        "('native', 'this release has no module litellm.gone')"
    )
    assert "WARNING" not in done.stderr
    assert "1/1 seams, not needed there: limit, gone" in done.stderr


ALL_NATIVE = OWN_TABLE + (
    "import dataclasses\n"
    "table.SEAMS = (dataclasses.replace(SEAM, unneeded=lambda module: 'LiteLLM does it'),)\n"
)


def test_where_nothing_is_left_to_do_it_says_so_once(fake_litellm):
    program = ALL_NATIVE + (
        "import litellm.proxy.proxy_server, litellm_patch\n"
        "litellm_patch.deactivate(); litellm_patch.activate(); print(state())\n"
    )
    done = fake_litellm.run(program, LITELLM_PATCH="strict")
    assert done.stdout.strip() == "('native', 'LiteLLM does it')"
    (line,) = done.stderr.splitlines()
    assert line.startswith("INFO: ")
    assert "nothing left to do on litellm" in line
    assert line.endswith(": litellm_patch can be removed")


def test_below_a_source_patch_it_stands_down_and_is_not_told_to_go(fake_litellm):
    fake_litellm.write("litellm/types/router.py", "LITELLM_PATCH_IN_SOURCE = True\n")
    program = OWN_TABLE + (
        "import litellm.types.router, litellm.proxy.proxy_server\nprint(state())\n"
    )
    done = fake_litellm.run(program)
    assert done.stdout.strip() == "('native', 'source patch')"
    (line,) = done.stderr.splitlines()
    assert "stands down, litellm" in line
    assert "removed" not in line


def test_a_module_that_is_loaded_later_goes_on_waiting(fake_litellm):
    fake_litellm.write("litellm/later.py", "class Error:\n    def __init__(self, message): pass\n")
    program = OWN_TABLE + (
        "import dataclasses\n"
        "table.SEAMS += (dataclasses.replace(SEAM, name='later', module='litellm.later'),)\n"
        "import litellm.proxy.proxy_server\nprint(state('later')[0])\n"
        "import litellm.later\nprint(state('later')[0])"
    )
    assert fake_litellm.lines(program, LITELLM_PATCH="strict") == ["waiting", "applied"]
