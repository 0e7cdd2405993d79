"""The rule of `pacing.py` as a script for Redis, where one queue is there for all proxies.

One call gives one client its place, by Redis' own clock: what is sent, and what comes back, are
seconds from then on. A test compares the two rules on sequences by chance. What a queue is kept
in is one small hash, which Redis drops some time after its last client.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable

from . import pacing
from .pacing import KnownRate

LAYOUT = 1
"""Of what is kept. Versions of this package with another one have queues of their own."""

KEPT = 3600
"""Seconds after its last place for which Redis remembers what a queue has learned."""

_ENDLESS = 1e9
"""Seconds, for a client that acts on any wait."""

CLOCK = "local time = redis.call('TIME')\nlocal now = time[1] + time[2] / 1e6"

SCRIPT = f"""
{CLOCK}
local left, length, honoured = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local fixed, start, most = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local kept = redis.call('HMGET', KEYS[1], 'rate', 'ready', 'next', 'last', 'without',
  'doubles', 'relapsed')
local function number(text, default) return text and tonumber(text) or default end
local rate, ready = number(kept[1], start), number(kept[2], -math.huge)
local arrival, last = number(kept[3], -math.huge), number(kept[4], -math.huge)
local without, doubles = number(kept[5], 0), number(kept[6], {pacing.DOUBLES!r})
local relapsed = number(kept[7], 0)
local ready_at = now + left

local begins = left > 0 and math.abs(ready_at - ready) > {pacing.SAME_END!r}
if begins then
  local began = now
  if length > 0 and ready_at - length >= ready then began = math.min(ready_at - length, now) end
  if length > 0 and began < ready and ready < ready_at + length then
    ready, begins = math.max(ready, ready_at), false
  else
    if ready <= began and ready < ready_at and last > -math.huge then
      local cut_off = began < last + {pacing.RELAPSE_WITHIN!r}
      local faster = 1
      if cut_off and began < ready + {pacing.PROVEN!r} then
        faster, relapsed = {pacing.SLOWER!r}, 1
      elseif cut_off or rate < {pacing.START!r} then faster = {pacing.FASTER!r} end
      rate = math.min(math.max(rate * faster, {pacing.SLOWEST!r}), {pacing.FASTEST!r})
    end
    doubles = {pacing.DOUBLES!r}
    if relapsed == 0 then
      local sooner = {pacing.UNTRIED_DOUBLES!r} * (ready_at - began)
      doubles = math.min(math.max({pacing.UNTRIED_SOONEST!r}, sooner), doubles)
    end
    ready, last, arrival = ready_at, -math.huge, ready_at
  end
end

local earliest = math.max(now, ready_at)
local place = math.max(arrival, earliest)
if place > now + honoured then
  without = without + 1
  local part, stop, first = without * {pacing._GOLDEN!r} % 1, now + honoured, earliest
  if ready_at > stop or place - honoured < (now + ready_at) / 2 then
    stop = math.min(stop, ready_at)
    first = (now + stop) / 2
  end
  place = first + (stop - first) * part
else
  local pace = fixed
  if pace == 0 then pace = math.min(rate * (1 + (place - earliest) / doubles), most) end
  arrival = place + 1 / math.max(pace, {pacing._NOT_ZERO!r})
  last = math.max(last, place)
end

local function text(value) return string.format('%.17g', value) end
redis.call('HSET', KEYS[1], 'rate', text(rate), 'ready', text(ready), 'next', text(arrival),
  'last', text(last), 'without', without, 'doubles', text(doubles), 'relapsed', relapsed)
local ends = math.max(arrival, ready, now) - now + {KEPT}
redis.call('PEXPIRE', KEYS[1], math.ceil(math.min(ends, {24 * KEPT}) * 1000))
return text(place - now)
"""


@dataclass(frozen=True)
class Waiting:
    """A refused client that asks for its place; as for `Pacer.place`.

    Attributes:
        fixed: clients per second as the operator decided it; None means to learn it.
    """

    ready_at: float
    cooldown: float | None
    honoured: float
    known: KnownRate
    fixed: float | None = None

    def arguments(self, now: float) -> tuple[float, ...]:
        """What the script is given, in its order; 0 where nothing is known."""
        return (
            self.ready_at - now,
            pacing._usable(self.cooldown) or 0.0,
            min(self.honoured, _ENDLESS),
            self.fixed or 0.0,
            pacing._start(self.known),
            pacing._usable(self.known.limit) or pacing.FASTEST,
        )


AskForPlace = Callable[[Waiting], "float | None"]
"""The `time.monotonic()` at which it should return; None where no queue is shared, or answers."""


def place_in(reply: str | bytes | float) -> float:
    """Seconds until the place that the script gave.

    Raises:
        ValueError: the reply is none of the script's.
    """
    seconds = float(reply)
    if not math.isfinite(seconds):
        raise ValueError("no finite number")
    return seconds
