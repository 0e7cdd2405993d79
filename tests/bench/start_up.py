"""How much the shipped `sitecustomize` costs a Python that never imports LiteLLM.

    python tests/bench/start_up.py [--rounds 300]

Runs ``python -c pass`` with and without it, in turns, so that a machine that gets busier or
slower meets both alike; prints the medians and their ratio. What the start may load is asserted in
tests/activation/test_start_up.py.
"""

from __future__ import annotations

import argparse
import compileall
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from litellm_patch.bootstrap import FOLDER, with_patch


def seconds(environment: dict[str, str]) -> float:
    """Wall-clock seconds of one start."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], env=environment, check=True)
    return time.perf_counter() - started


def main(rounds: int) -> None:
    # As pip installs it. Where there is no bytecode, each start compiles the sources anew.
    compileall.compile_dir(Path(FOLDER).parent, quiet=1)
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
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=300)
    main(parser.parse_args().rounds)
