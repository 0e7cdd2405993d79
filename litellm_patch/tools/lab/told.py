"""What proxies told clients, and what that proves."""

from __future__ import annotations

from dataclasses import dataclass

from ...wait.delay_seconds import parse_delay_seconds
from ...wait.litellm_errors import NO_DEPLOYMENTS
from .client import Response


def says_so(answer: Response) -> bool:
    """Whether an answer is in the words of the router's refusal."""
    return NO_DEPLOYMENTS.encode() in answer.body


def retry_after_of(answer: Response) -> tuple[str, ...]:
    """Every value of the header."""
    return tuple(answer.all("retry-after"))


@dataclass(frozen=True)
class Told:
    """What one proxy answered to one kind of request.

    Attributes:
        status: of the answer; 0 where the kind could not be asked.
        retry_after: every value of the header.
        refused: it is the router's refusal, or a bare 500 that was made of it.
        absent: the release has no such route.
        asked: a provider was asked.
        too_long: it tells a wait that is longer than that of the first group which can serve.
    """

    status: int
    retry_after: tuple[str, ...] = ()
    refused: bool = False
    absent: bool = False
    asked: bool = False
    too_long: bool = False

    @property
    def carries(self) -> bool:
        """Whether it is a 429 with exactly one valid ``Retry-After`` that is not too long."""
        valid = [value for value in self.retry_after if parse_delay_seconds(value) is not None]
        one = len(self.retry_after) == len(valid) == 1
        return self.status == 429 and one and not self.too_long


@dataclass(frozen=True)
class Comparison:
    """One kind of request, or one of the operator's groups, without and with the patch."""

    kind: str
    without: Told
    with_patch: Told

    @property
    def judged(self) -> bool:
        """Whether it is a refusal of the router's, which should carry the header."""
        return self.without.refused or self.with_patch.refused

    @property
    def good(self) -> bool:
        return not self.judged or self.with_patch.carries

    @property
    def why_not_judged(self) -> str:
        """What it is instead of a refusal, or ""."""
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
