"""Pure logic: how long a refused client must wait, who decides it, and how to write it.

It imports neither LiteLLM nor wrapt, reads no clock and keeps nothing between calls but the queues
of a `pacing.Pacer`, which its caller makes. Of LiteLLM it knows only what can be recognised from
outside: its errors (`litellm_errors`), where they keep a provider's headers (`provider`) and the
records of its cooldowns (`cooldown_records`). `tell` puts the parts together.
"""
