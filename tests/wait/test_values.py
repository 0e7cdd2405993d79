"""What the modules hand on to each other is shared, and so nobody may change it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from litellm_patch.wait.cooldown_records import HeldCooldown
from litellm_patch.wait.cooling import Cooling
from litellm_patch.wait.exception_chain import Refusal
from litellm_patch.wait.pacing import KnownRate
from litellm_patch.wait.tell import Teller, Told


@pytest.mark.parametrize(
    "value",
    [
        HeldCooldown({}),
        Cooling(1.0, "m"),
        Refusal(1.0),
        KnownRate(),
        Teller(),
        Told(1.0, {}, is_step=False, is_nothing=False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_attribute_can_be_changed(value):
    for field in fields(value):
        with pytest.raises(FrozenInstanceError):
            setattr(value, field.name, None)
