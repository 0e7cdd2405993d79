"""``deactivate()``: LiteLLM is exactly as it was, or nothing is changed and it says why."""

from __future__ import annotations

import pytest
from fake_litellm import OWN_TABLE

START = OWN_TABLE + (
    "from litellm.proxy import _types\n"
    "import litellm_patch, wrapt, functools\n"
    "Error = _types.Error\n"
    "ours = vars(Error)['__init__']\n"
    "stock = ours.__wrapped__\n"
    "calls = []\n"
    "def theirs(wrapped, instance, args, kwargs):\n"
    "    calls.append('theirs')\n"
    "    return wrapped(*args, **kwargs)\n"
    "def make():\n"
    "    del calls[:], seen[:]\n"
    "    error = Error('text')\n"
    "    return error.message, calls, seen\n"
)


def test_the_very_same_function_comes_back_as_often_as_one_likes(fake_litellm):
    program = START + (
        "for _ in range(3):\n"
        "    litellm_patch.deactivate(); litellm_patch.deactivate()\n"
        "    print(vars(Error)['__init__'] is stock, make())\n"
        "    litellm_patch.activate(); litellm_patch.activate()\n"
        "    print(vars(Error)['__init__'].__wrapped__ is stock, make())\n"
    )
    assert (
        fake_litellm.lines(program) == ["True ('text', [], [])", "True ('text', [], ['text'])"] * 3
    )


def test_ours_is_taken_out_from_under_wrappers_of_wrapt(fake_litellm):
    program = START + (
        "Error.__init__ = wrapt.FunctionWrapper(vars(Error)['__init__'], theirs)\n"
        "Error.__init__ = wrapt.FunctionWrapper(vars(Error)['__init__'], theirs)\n"
        "outer = vars(Error)['__init__']\n"
        "print(make())\n"
        "litellm_patch.deactivate()\n"
        "print(make(), vars(Error)['__init__'] is outer, outer.__wrapped__.__wrapped__ is stock)\n"
        "litellm_patch.activate()\n"
        "print(make())\n"
        "litellm_patch.deactivate()\n"
        "print(make(), vars(Error)['__init__'] is outer)\n"
    )
    both = "('text', ['theirs', 'theirs'], [])"
    assert fake_litellm.lines(program) == [
        "('text', ['theirs', 'theirs'], ['text'])",
        f"{both} True True",
        "('text', ['theirs', 'theirs'], ['text'])",
        f"{both} True",
    ]


# Two seams; LAYERS are put around the first one.
TWO = START.replace(
    "table.SEAMS = (SEAM,)",
    "import dataclasses\n"
    "table.SEAMS = (SEAM, dataclasses.replace(SEAM, name='serve', parameters=('request',),\n"
    "    module='litellm.proxy.proxy_server', attribute='serve'))",
) + (
    "from litellm.proxy import proxy_server\n"
    "def chain(place):\n"
    "    found = [place]\n"
    "    while hasattr(found[-1], '__wrapped__'): found.append(found[-1].__wrapped__)\n"
    "    return [id(each) for each in found]\n"
    "def all_of(): return chain(vars(Error)['__init__']), chain(proxy_server.serve)\n"
)
LAYERS = {
    "wrapt": "wrapt.FunctionWrapper({}, theirs)",
    "wraps": "(lambda inner: functools.wraps(inner)(lambda *args: inner(*args)))({})",
    "plain": "(lambda inner: lambda *args: inner(*args))({})",
}


@pytest.mark.parametrize(
    "layers",
    [("plain",), ("wraps",), ("wrapt", "wraps"), ("wraps", "wrapt"), ("wrapt", "wraps", "wrapt")],
)
def test_under_a_wrapper_that_is_not_wrapts_it_refuses_and_everything_stays_on(
    fake_litellm, layers
):
    program = TWO + "inner = vars(Error)['__init__']\n"
    for layer in layers:
        program += "Error.__init__ = " + LAYERS[layer].format("vars(Error)['__init__']") + "\n"
    program += (
        "before, told = all_of(), make()\n"
        "try: litellm_patch.deactivate()\n"
        "except RuntimeError as error: print(error)\n"
        "print(all_of() == before, make() == told, state()[0], state('serve')[0])\n"
        "print(litellm_patch.status().why_not == '')\n"
        "Error.__init__ = inner\n"
        "litellm_patch.deactivate()\n"
        "print(make(), vars(Error)['__init__'] is stock)\n"
    )
    refused, *on, off = fake_litellm.lines(program)
    assert "error (Error.__init__ was wrapped again by something that is not wrapt's)" in refused
    assert "serve (" not in refused
    assert on == ["True True applied applied", "True"]
    assert off == "('text', [], []) True"


def test_somebody_else_having_restored_litellm_is_fine(fake_litellm):
    program = START + (
        "Error.__init__ = stock\n"
        "litellm_patch.deactivate()\n"
        "print(vars(Error)['__init__'] is stock)\n"
        "litellm_patch.activate()\n"
        "print(make())\n"
    )
    assert fake_litellm.lines(program) == ["True", "('text', [], ['text'])"]


def test_an_inherited_function_is_inherited_again(fake_litellm):
    fake_litellm.write(
        "litellm/proxy/_types.py",
        "class Base(Exception):\n"
        "    def __init__(self, message): self.message = message\n"
        "class Error(Base): pass\n",
    )
    program = START + "litellm_patch.deactivate()\nprint('__init__' in vars(Error), make())"
    assert fake_litellm.lines(program) == ["False ('text', [], [])"]


def test_off_before_the_import_means_nothing_is_wrapped_until_on(fake_litellm):
    program = OWN_TABLE + (
        "import litellm_patch\n"
        "litellm_patch.deactivate()\n"
        "from litellm.proxy import _types\n"
        "print(state()[0], type(vars(_types.Error)['__init__']).__name__)\n"
        "litellm_patch.activate()\n"
        "print(state()[0])\n"
    )
    assert fake_litellm.lines(program) == ["waiting function", "applied"]


def test_threads_that_turn_it_on_and_off_leave_it_whole(fake_litellm):
    program = START + (
        "def toggle():\n"
        "    for _ in range(200):\n"
        "        litellm_patch.activate(); litellm_patch.deactivate()\n"
        "threads = [threading.Thread(target=toggle) for _ in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "print(vars(Error)['__init__'] is stock, make())\n"
        "litellm_patch.activate()\n"
        "print(vars(Error)['__init__'].__wrapped__ is stock, make())\n"
    )
    assert fake_litellm.lines(program) == ["True ('text', [], [])", "True ('text', [], ['text'])"]
