"""From LiteLLM's refusal to the headers that tell its client when to come back.

=======  =================================================================  =====================
record   what LiteLLM keeps of a cooldown gives the seconds that are left   `cooldown_records`
refusal  the exception, marked by the seams with what its client waits for  `exception_chain`,
                                                                            `limits`, `provider`
answer   a place in the queue, at most as far as the client acts on         `pacing`, `patience`
client   the headers that it reads                                          `headers`
=======  =================================================================  =====================

The seams read the records when LiteLLM refuses. The other three steps are `Teller.tell`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from . import marks
from .exception_chain import SHORTEST, Refusal
from .headers import with_retry_after
from .limits import find_own_refusal
from .pacing import Pacer
from .patience import HONOURED, LESS, first_step
from .provider import find_provider_wait
from .shared_pacing import Waiting

PLACE = "litellm_patch_place"
"""Mark on a refusal: the `time.monotonic()` at which its client should return. If LiteLLM makes
more than one answer of an exception, all of them tell this place."""


@dataclass(frozen=True)
class Told:
    """What a refused client is told.

    Attributes:
        seconds: None if the refusal has no usable number.
        headers: all headers of the answer.
        is_step: the client is to come back before the wait is over, and be told the rest then.
        is_nothing: the wait is too long for the client, or is not known.
    """

    seconds: float | None
    headers: dict[str, str]
    is_step: bool
    is_nothing: bool


@dataclass(frozen=True)
class Teller:
    """Decides what refused clients are told; one for a process.

    Attributes:
        pacer: gives the clients of a cooling group different moments; None turns pacing off.
        max_wait: the longest wait that clients act on, in seconds; infinite for any. None leaves
            it to what is known of each client.
    """

    pacer: Pacer | None = None
    max_wait: float | None = None

    def tell(
        self,
        error: BaseException | None,
        message: str | None,
        headers: Mapping[str, str],
        *,
        now: float,
        clock: float,
        forward_provider: bool = False,
    ) -> Told | None:
        """The headers of an error answer that is made of `error`; None if nobody refused.

        Args:
            error, message: as for `find_own_refusal`.
            headers: that the answer has already.
            now: `time.monotonic()`.
            clock: `time.time()`.
            forward_provider: whether a provider's own 429 forwards its ``Retry-After``.
        """
        refusal = find_own_refusal(error, message, now, clock)
        if refusal is None and forward_provider:
            refusal = find_provider_wait(error, message, clock)
        if refusal is None:
            return None
        answer = self._answer(refusal, now)
        return Told(
            answer.seconds,
            with_retry_after(headers, answer),
            is_step=(answer.seconds or 0) < (refusal.seconds or 0) - LESS,
            is_nothing=answer.seconds is None or answer.out_of_reach,
        )

    def _answer(self, refusal: Refusal, now: float) -> Refusal:
        """`refusal` with the seconds after which its client should return."""
        if refusal.seconds is None:
            return refusal
        honoured = self._honoured(refusal)
        told = first_step(refusal.seconds, honoured)
        if told is None:
            return replace(refusal, out_of_reach=True)
        place = None if self.pacer is None else _place(self.pacer, refusal, now, honoured)
        if place is not None:
            # A step ends where the rest is within reach; a place may be as far as the client acts.
            most = told if refusal.seconds > honoured else honoured - LESS
            told = min(max(place - now, SHORTEST), most)
        return replace(refusal, seconds=told)

    def _honoured(self, refusal: Refusal) -> float:
        """The longest wait, in seconds, that the client of `refusal` acts on."""
        if self.max_wait is not None:
            return self.max_wait
        known = None if refusal.cooling is None else refusal.cooling.honoured
        return HONOURED if known is None else known


def _place(pacer: Pacer, refusal: Refusal, now: float, honoured: float) -> float | None:
    """The moment for the client of `refusal`; None if there is no queue, as for a limit.

    The moment may be before the end of the cooldown: see `Pacer.place`.
    """
    cooling, source = refusal.cooling, refusal.source
    if cooling is None or cooling.ready_at is None or source is None:
        return None
    place = marks.get(source, PLACE)
    if isinstance(place, float):
        return place
    ready_at, known, place = cooling.ready_at, cooling.rate(), None
    if cooling.shared_place is not None:
        waiting = Waiting(ready_at, cooling.cooldown, honoured, known, pacer.fixed)
        shared = cooling.shared_place(waiting)
        if shared is not None:
            pacer.follow(cooling.queue, ready_at, shared, known)
            place = shared.at
    if place is None:
        place = pacer.place(cooling.queue, now, ready_at, known, cooling.cooldown, honoured)
    marks.put(source, PLACE, place)
    return place
