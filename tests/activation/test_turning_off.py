"""``deactivate()``: LiteLLM is exactly as it was, or nothing is changed and it says why.

How one function comes off, also beneath other wrappers, is tested in tests/seams/test_after_call.
"""

from __future__ import annotations

from fake_litellm import OWN_TABLE

TWO_SEAMS = OWN_TABLE + (
    "import dataclasses\n"
    "table.SEAMS += (dataclasses.replace(SEAM, name='serve', parameters=('request',),\n"
    "    module='litellm.proxy.proxy_server', attribute='serve'),)\n"
)
START = (
    "from litellm.proxy import _types, proxy_server\n"
    "import litellm_patch\n"
    "Error = _types.Error\n"
    "ours = vars(Error)['__init__']\n"
    "stock = ours.__wrapped__\n"
    "def make():\n"
    "    del seen[:]\n"
    "    return Error('text').message, seen\n"
)


def test_under_a_wrapper_that_is_not_wrapts_it_refuses_and_everything_stays_on(fake_litellm):
    program = f"{TWO_SEAMS}{START}" + (
        "above, served = lambda *args: ours(*args), proxy_server.serve\n"
        "Error.__init__ = above\n"
        "try: litellm_patch.deactivate()\n"
        "except RuntimeError as error: print(error)\n"
        "print(vars(Error)['__init__'] is above, make(), proxy_server.serve is served)\n"
        "print(state()[0], state('serve')[0], repr(litellm_patch.status().why_not))\n"
        "Error.__init__ = ours\n"
        "litellm_patch.deactivate()\n"
        "print(vars(Error)['__init__'] is stock, make(), proxy_server.serve is served)\n"
    )
    refused, *on, off = fake_litellm.lines(program)
    assert "error (Error.__init__ was wrapped again by something that is not wrapt's)" in refused
    assert "serve (" not in refused
    assert on == ["True ('text', ['text']) True", "applied applied ''"]
    assert off == "True ('text', []) False"


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
    program = f"{OWN_TABLE}{START}" + (
        "def toggle():\n"
        "    for _ in range(200):\n"
        "        litellm_patch.activate(); litellm_patch.deactivate()\n"
        "threads = [threading.Thread(target=toggle) for _ in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "print(vars(Error)['__init__'] is stock, make())\n"
        "litellm_patch.activate()\n"
        "print(vars(Error)['__init__'].__wrapped__ is stock, make())\n"
    )
    assert fake_litellm.lines(program) == ["True ('text', [])", "True ('text', ['text'])"]
