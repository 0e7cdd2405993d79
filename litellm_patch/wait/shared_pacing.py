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
from .pacing import KnownRate, SharedPlace

LAYOUT = 2
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
local ready_at = now + left

local q = {{rate = start, ready_at = -math.huge, next_arrival = -math.huge, last_place = -math.huge,
  doubles = {pacing.DOUBLES!r}, relapsed = 0, without_place = 0,
  suspected = 0, suspected_until = 0, refused = 0, at_the_end = 0, given = 0}}
local names = {{}}
for name in pairs(q) do table.insert(names, name) end
for index, text in ipairs(redis.call('HMGET', KEYS[1], unpack(names))) do
  q[names[index]] = text and tonumber(text) or q[names[index]]
end

local function began()
  if length > 0 and ready_at - length >= q.ready_at then return math.min(ready_at - length, now) end
  return now
end

local function seen_late(began)
  local late = length > 0 and began < q.ready_at and q.ready_at < ready_at + length
  if late then q.ready_at = math.max(q.ready_at, ready_at) end
  return late
end

local function learn(faster)
  q.rate = math.min(math.max(q.rate * faster, {pacing.SLOWEST!r}), {pacing.FASTEST!r})
end

local function begin(began)
  local crowd = q.at_the_end
  q.at_the_end, q.suspected = 0, 0
  if q.ready_at <= began and q.last_place > -math.huge then
    local cut_off = began < q.last_place + {pacing.RELAPSE_WITHIN!r}
    if cut_off and began < q.ready_at + {pacing.PROVEN!r} then
      if (began - q.ready_at) * q.rate < {pacing.FEW!r} then
        q.suspected, q.refused = q.rate, crowd
        q.suspected_until = began + {pacing.AT_ONCE!r}
      end
      learn({pacing.SLOWER!r})
      q.relapsed = 1
    elseif cut_off or q.rate < {pacing.START!r} then
      learn({pacing.FASTER!r})
    end
  end
  q.doubles = {pacing.DOUBLES!r}
  if q.relapsed == 0 then
    local sooner = {pacing.UNTRIED_DOUBLES!r} * (ready_at - began)
    q.doubles = math.min(math.max({pacing.UNTRIED_SOONEST!r}, sooner), q.doubles)
  end
  q.ready_at, q.last_place, q.next_arrival = ready_at, -math.huge, ready_at
end

local function acquit()
  if q.suspected == 0 then return end
  q.refused = q.refused + 1
  if now > q.suspected_until then
    q.suspected = 0
  elseif q.refused > math.max(2, {pacing.CROWD * pacing.AT_ONCE!r} * q.suspected) then
    q.rate = math.max(q.rate, math.min(q.suspected, {pacing.EXCUSED!r}))
    q.suspected = 0
  end
end

local function pace(after)
  if fixed > 0 then return fixed end
  return math.max(math.min(q.rate * (1 + after / q.doubles), most), {pacing._NOT_ZERO!r})
end

local function without_place(place)
  q.without_place = q.without_place + 1
  local part = q.without_place * {pacing._GOLDEN!r} % 1
  local stop, earliest = now + honoured, math.max(now, ready_at)
  if ready_at >= stop or place - honoured < (now + ready_at) / 2 then
    stop = math.min(stop, ready_at)
    earliest = (now + stop) / 2
  end
  return earliest + (stop - earliest) * part
end

if left > 0 and math.abs(ready_at - q.ready_at) > {pacing.SAME_END!r} then
  local began = began()
  if not seen_late(began) then begin(began) end
end
acquit()
q.given = q.given + 1
if left > 0 and left <= {pacing.AT_ONCE!r} then q.at_the_end = q.at_the_end + 1 end
local earliest = math.max(now, ready_at)
local place = math.max(q.next_arrival, earliest)
if place > now + honoured then
  place = without_place(place)
else
  q.next_arrival = place + 1 / pace(place - earliest)
  q.last_place = math.max(q.last_place, place)
end

local kept = {{}}
for name, value in pairs(q) do
  table.insert(kept, name)
  table.insert(kept, string.format('%.17g', value))
end
redis.call('HSET', KEYS[1], unpack(kept))
local ends = math.max(q.next_arrival, q.ready_at, now) - now + {KEPT}
redis.call('PEXPIRE', KEYS[1], math.ceil(math.min(ends, {24 * KEPT}) * 1000))
return string.format('%.17g %d %.17g', place - now, q.given, q.rate)
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


AskForPlace = Callable[[Waiting], "SharedPlace | None"]
"""None where no queue is shared, or it does not answer."""


def place_in(reply: str | bytes, now: float) -> SharedPlace:
    """The place that the script gave.

    Args:
        now: `time.monotonic()` at its reply.

    Raises:
        ValueError: the reply is none of the script's.
    """
    seconds, given, rate = reply.split()
    place = SharedPlace(now + float(seconds), int(given), float(rate))
    if not (math.isfinite(place.at) and math.isfinite(place.rate)):
        raise ValueError("no finite number")
    return place
