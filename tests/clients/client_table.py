"""Write TABLE.md from results.csv and scripted.csv.

python tests/clients/client_table.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from outcome import WATCHED, Result, read

HERE = Path(__file__).parent
RESULTS, SCRIPTED, TABLE = HERE / "results.csv", HERE / "scripted.csv", HERE / "TABLE.md"
PATCH = ", patch"
"""What the name of a side ends with if the patch is on; before it is that of its release."""

EXPLANATION = f"""\
# What real clients do

Each client is the real one with its defaults (`install_clients.py` has the versions), against a
real proxy in front of a stand-in provider that would serve again at once: `run.py`. Seconds count
from the first request to the outcome; in brackets the requests that the client sent.

- *cooldown* 20 s, 75 s: of both deployments of the model group.
- *Retry-After: 3600*: the provider's, which LiteLLM takes as the length of the cooldown.
- *budget*: of a deployment, spent, for a day or 30 days.

*waits*: neither served nor failed after {WATCHED:.0f} s; behind it what the client was last told.
A LiteLLM Router fails and then *closes* its deployment, which counts as waiting if it is for
longer than that.
"""

ON_CHOICE = """\
## What a server may tell

The same clients against a script that refuses and always tells the same (watched for 100 s). It
was run before anything was chosen, and decided:

- *The time left* makes some clients sleep for hours, and Claude Code give up at 75 s, which it
  bears when it is told less. So nobody is told more than everybody acts on.
- Of *at most 60*, openai-node 4 and 5 and Vercel's AI SDK ignore 60 itself; *at most 59* serves
  all. So a first step is 59 s, and 60 s are told as 59,999 ms.
- Told that again and again, all of them wait for as long as their retries last (two minutes with
  two retries) and fail all the same. So what their retries do not reach is not told at all.
- *Nothing* is what LiteLLM tells without the patch. *x-should-retry: false* saves the SDKs two
  requests, and ends Claude Code's three minutes of retries; but those may still succeed after a
  minute or two. So it is sent from ten minutes on.
"""


def releases(results: Sequence[Result]) -> list[str]:
    """Those that were run without and with the patch, in the order of the file."""
    sides = dict.fromkeys(result.side for result in results)
    return [side for side in sides if f"{side}{PATCH}" in sides]


def lines() -> Iterator[str]:
    results = read(RESULTS)
    yield EXPLANATION
    for release in releases(results):
        yield f"## LiteLLM {release}: without the patch → with it\n"
        yield from _table(results, release, release + PATCH)
    yield ON_CHOICE
    scripted = read(SCRIPTED)
    for policy in dict.fromkeys(result.side for result in scripted):
        yield f"### {policy[0].upper()}{policy[1:]}\n"
        yield from _table(scripted, policy)


def _table(results: Sequence[Result], *sides: str) -> Iterator[str]:
    ours = {(r.side, r.situation, r.client): r for r in results if r.side in sides}
    situations = list(dict.fromkeys(situation for _, situation, _ in ours))
    yield f"| client | {' | '.join(situations)} |"
    yield "| --- |" + " --- |" * len(situations)
    for client in dict.fromkeys(client for _, _, client in ours):
        cells = [
            " → ".join(ours[side, situation, client].cell for side in sides)
            for situation in situations
        ]
        yield f"| {client} | {' | '.join(cells)} |"
    yield ""


if __name__ == "__main__":
    TABLE.write_text("\n".join(lines()).rstrip() + "\n")
