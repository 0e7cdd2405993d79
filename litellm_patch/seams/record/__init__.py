"""What LiteLLM has recorded: cooldowns, their ends, spent budgets, limits, and shared queues."""
