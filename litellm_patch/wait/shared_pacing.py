"""The rule of `pacing.py` and `learned_pace.py` as a script for Redis: one queue for all proxies.

One call gives one client its place, by Redis' own clock: what is sent, and what comes back, are
seconds from then on. It also counts the clients that the process gave places by itself since its
last call, so that theirs are given to nobody else. A test compares the two rules on sequences by
chance. A queue is kept in one small hash, which Redis drops some time after its last client.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable

from .known_rate import FASTEST, SLOWEST, START, KnownRate, start, usable
from .learned_pace import (
    AT_ONCE,
    CROWD,
    DOUBLES,
    EXCUSED,
    FASTER,
    PROVEN,
    RELAPSE_WITHIN,
    SAME_END,
    SLOWER,
    STEEPNESS,
    UNTRIED_DOUBLES,
    UNTRIED_LATEST,
    UNTRIED_SOONEST,
)
from .pacing import BEFORE_THE_END, GOLDEN, NOT_ZERO
from .shared_part import SharedPlace

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
local meanwhile = tonumber(ARGV[7])
local ready_at = now + left

local q = {{rate = start, ready_at = -math.huge, next_arrival = -math.huge, last_place = -math.huge,
  doubles = {DOUBLES!r}, relapsed = 0, without_place = 0,
  suspected = 0, suspected_until = 0, acquitted = 0, refused = 0, at_the_end = 0,
  began = -math.huge, places = 0, flow = 0, given = 0}}
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

local function bounded(rate)
  return math.min(math.max(rate, {SLOWEST!r}), {FASTEST!r})
end

local function pace(after)
  return q.rate * (1 + (after / q.doubles) ^ (q.relapsed == 1 and {STEEPNESS!r} or 1))
end

local function begin(began)
  local crowd, lasted = q.at_the_end, began - q.began
  q.at_the_end, q.suspected = 0, 0
  q.flow = lasted > 0 and q.places / lasted or 0
  q.places, q.began = 0, began
  if q.ready_at <= began and q.last_place > -math.huge then
    local after = began - q.ready_at
    if began < q.last_place + {RELAPSE_WITHIN!r} then
      local early = after < {PROVEN!r}
      q.suspected = pace(math.max(0, math.min(after, q.last_place - q.ready_at)))
      q.suspected_until, q.refused = began + {AT_ONCE!r}, crowd
      q.acquitted = early and math.min(q.rate, {EXCUSED!r}) or q.rate * {FASTER!r}
      q.rate = bounded(q.suspected * {SLOWER!r})
      if early then q.relapsed = 1 end
    elseif q.rate < {START!r} then
      q.rate = bounded(q.rate * {FASTER!r})
    end
  end
  q.doubles = {DOUBLES!r}
  if q.relapsed == 0 then
    local sooner = {UNTRIED_DOUBLES!r} * (ready_at - began)
    q.doubles = math.min(math.max({UNTRIED_SOONEST!r}, sooner), {UNTRIED_LATEST!r})
  end
  q.ready_at, q.last_place, q.next_arrival = ready_at, -math.huge, ready_at
end

local function acquit()
  if q.suspected == 0 then return end
  q.refused = q.refused + 1
  local usual = {AT_ONCE!r} * math.max(q.suspected, q.flow)
  if now > q.suspected_until then
    q.suspected = 0
  elseif q.refused > math.max(2, {CROWD!r} * usual) then
    q.rate, q.suspected = math.max(q.rate, bounded(q.acquitted)), 0
  end
end

local function without_place(place)
  q.without_place = q.without_place + 1
  local part = q.without_place * {GOLDEN!r} % 1
  local stop, earliest = now + honoured, math.max(now, ready_at)
  if ready_at >= stop or place - honoured < (now + ready_at) / 2 then
    stop = math.min(stop, ready_at - {BEFORE_THE_END!r} * (ready_at - now))
    earliest = (now + stop) / 2
  end
  return earliest + (stop - earliest) * part
end

if left > 0 and math.abs(ready_at - q.ready_at) > {SAME_END!r} then
  local began = began()
  if not seen_late(began) then begin(began) end
end

local earliest, place = math.max(now, ready_at), nil
for _ = 0, meanwhile do
  acquit()
  if left > 0 and left <= {AT_ONCE!r} then q.at_the_end = q.at_the_end + 1 end
  place = math.max(q.next_arrival, earliest)
  if place > now + honoured then
    place = without_place(place)
  else
    local rate = fixed > 0 and fixed or math.min(pace(place - earliest), most)
    q.next_arrival = place + 1 / math.max(rate, {NOT_ZERO!r})
    q.last_place, q.places = math.max(q.last_place, place), q.places + 1
  end
end
q.given = q.given + meanwhile + 1

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

    def arguments(self, now: float, meanwhile: int = 0) -> tuple[float, ...]:
        """What the script is given, in its order; 0 where nothing is known.

        Args:
            meanwhile: how many clients got a place of the process' own since its last question.
        """
        return (
            self.ready_at - now,
            usable(self.cooldown) or 0.0,
            min(self.honoured, _ENDLESS),
            self.fixed or 0.0,
            start(self.known),
            usable(self.known.limit) or FASTEST,
            meanwhile,
        )


AskForPlace = Callable[[Waiting], "SharedPlace | None"]
"""None where no queue is shared, or it does not answer."""


def place_in(reply: str | bytes, now: float, mine: int) -> SharedPlace:
    """The place that the script gave.

    Args:
        now: `time.monotonic()` at its reply.
        mine: how many places it has counted as this process'.

    Raises:
        ValueError: the reply is none of the script's.
    """
    seconds, given, rate = reply.split()
    place = SharedPlace(now + float(seconds), int(given), mine, float(rate))
    if not (math.isfinite(place.at) and math.isfinite(place.rate)):
        raise ValueError("no finite number")
    return place
