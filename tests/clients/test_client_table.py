"""What the runs of real clients found: nobody is worse off with the patch than without it."""

from __future__ import annotations

import pytest
from client_table import PATCH, RESULTS, TABLE, lines, releases
from outcome import read, worse
from real_clients import CLIENTS
from situations import SITUATIONS

CELLS = {(r.side, r.situation, r.client): r for r in read(RESULTS)}
RELEASES = releases(list(CELLS.values()))


def test_a_release_without_and_one_with_a_header_of_its_own_were_run():
    assert RELEASES == ["1.89.7", "1.102.4"]


@pytest.mark.parametrize("situation", [each.name for each in SITUATIONS])
@pytest.mark.parametrize("client", [each.name for each in CLIENTS])
@pytest.mark.parametrize("release", RELEASES)
def test_no_client_is_worse_off_with_the_patch(release, client, situation):
    without, with_patch = (CELLS[side, situation, client] for side in (release, release + PATCH))
    assert not worse(with_patch, without), f"{without.cell} became {with_patch.cell}"


@pytest.mark.parametrize("situation", [each.name for each in SITUATIONS[:2]])
@pytest.mark.parametrize("client", [c.name for c in CLIENTS if c.name != "LiteLLM Router"])
def test_what_a_clients_retries_reach_is_served(client, situation):
    assert CELLS["1.89.7" + PATCH, situation, client].outcome == "served"


def test_the_table_is_the_one_of_the_results():
    assert TABLE.read_text() == "\n".join(lines()).rstrip() + "\n"
