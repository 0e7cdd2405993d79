"""The answers of proxies to clients, and the verdict on them."""

from __future__ import annotations

from dataclasses import dataclass

from ...wait.delay_seconds import parse_delay_seconds


@dataclass(frozen=True)
class Told:
    """One proxy's answer to one kind of request.

    Attributes:
        status: of the answer; 0 where the kind could not be asked.
        retry_after: every value of the header.
        refused: it is the router's refusal, or a bare 500 made from one.
        absent: the release has no such route.
        asked: a provider was asked.
    """

    status: int
    retry_after: tuple[str, ...] = ()
    refused: bool = False
    absent: bool = False
    asked: bool = False

    @property
    def carries(self) -> bool:
        """Whether it is a 429 with exactly one valid ``Retry-After``."""
        seconds = [parse_delay_seconds(value) for value in self.retry_after]
        return self.status == 429 and len(seconds) == 1 and seconds[0] is not None


@dataclass(frozen=True)
class Comparison:
    """One kind of request, or one of the operator's groups, without and with the patch."""

    kind: str
    without: Told
    with_patch: Told

    @property
    def judged(self) -> bool:
        """Whether the router refused, so that the answer should carry the header."""
        return self.without.refused or self.with_patch.refused

    @property
    def good(self) -> bool:
        return not self.judged or self.with_patch.carries

    @property
    def why_not_judged(self) -> str:
        """Why it is not a refusal, or "" if it is one."""
        told = self.with_patch
        if self.judged:
            return ""
        if told.absent:
            return "not in this release"
        if not told.status:
            return "its group did not cool down"
        if told.asked:
            return "asks the provider, not routed to a group"
        if told.status >= 500:
            return "LiteLLM's own failure, not a refusal"
        return "not a refusal"
