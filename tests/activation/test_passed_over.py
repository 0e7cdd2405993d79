"""A finder in front of ours that loads LiteLLM without asking it: noticed, and said."""

from __future__ import annotations

import pytest
from fake_litellm import OWN_TABLE

IN_FRONT = OWN_TABLE + (
    "import litellm_patch, time\n"
    "from importlib.machinery import PathFinder\n"
    "class InFront:\n"
    "    def find_spec(self, name, path=None, target=None):\n"
    "        if name.partition('.')[0] == 'litellm': return PathFinder.find_spec(name, path)\n"
    "sys.meta_path.insert(0, InFront())\n"
    "import litellm.proxy.proxy_server\n"
    "from litellm.proxy import _types\n"
)


def test_looking_says_so_and_changes_nothing(fake_litellm):
    program = IN_FRONT + (
        "for _ in range(3):\n"
        "    print(state(), litellm_patch.status().why_not)\n"
        "_types.Error('x'); print(seen)\n"
    )
    unheard = "('waiting', '') litellm was imported without our hook being asked"
    assert fake_litellm.lines(program) == [unheard] * 3 + ["[]"]


def test_the_next_import_of_anything_brings_it_on(fake_litellm):
    program = IN_FRONT + (
        "import colorsys\n"
        "until = time.monotonic() + 20\n"
        "while state()[0] == 'waiting' and time.monotonic() < until: time.sleep(0.01)\n"
        "print(state(), repr(litellm_patch.status().why_not))\n"
        "_types.Error('x'); print(seen)\n"
        "time.sleep(0.2)\n"
    )
    done = fake_litellm.run(program)
    assert done.stdout.splitlines() == ["('applied', '') ''", "['x']"], done.stderr
    assert "1/1 seams" in done.stderr
    assert done.stderr.count("litellm was imported without our hook being asked") == 1


def test_activate_brings_it_on(fake_litellm):
    program = IN_FRONT + "litellm_patch.activate()\nimport colorsys\nprint(state())\n"
    done = fake_litellm.run(program)
    assert done.stdout.strip() == "('applied', '')"
    assert "without our hook" not in done.stderr


@pytest.mark.parametrize(
    "before, why",
    [
        ("", "litellm is not imported yet"),
        ("litellm_patch.deactivate()", "deactivate() was called"),
        ("import litellm", ""),
        ("import os; os.environ['LITELLM_PATCH'] = 'No'", "LITELLM_PATCH=no"),
    ],
)
def test_why_it_is_not_on(fake_litellm, before, why):
    program = f"import litellm_patch\n{before}\nprint(litellm_patch.status().why_not)"
    assert fake_litellm.lines(OWN_TABLE + program) == [why]
