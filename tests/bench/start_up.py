"""How much the shipped `sitecustomize` costs a Python that never imports LiteLLM.

    python tests/bench/start_up.py [ROUNDS]

Runs ``python -c pass`` with and without it, in turns, so that a machine that gets busier or
slower meets both alike; prints the medians and their ratio. Nothing depends on the result:
what the start may load is asserted in tests/activation/test_start_up.py.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

from litellm_patch.bootstrap import with_patch


def seconds(environment: dict[str, str]) -> float:
    """Wall-clock seconds of one start."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], env=environment, check=True)
    return time.perf_counter() - started


def main(rounds: int = 300) -> None:
    without = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    sides = {"without": without, "with": with_patch(without)}
    times: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(rounds):
        order = list(sides) if number % 2 else list(sides)[::-1]
        for side in order:
            times[side].append(seconds(sides[side]))
    stock, patched = (statistics.median(times[side][5:]) for side in ("without", "with"))
    print(f"python -c pass, {rounds} runs each in turns, medians:")
    print(f"  without  {stock * 1000:7.2f} ms")
    print(f"  with     {patched * 1000:7.2f} ms")
    print(f"  ratio    {patched / stock:7.3f}  ({(patched - stock) * 1000:+.2f} ms)")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
