"""What a refusal of LiteLLM's router carries: the deployments behind it, and when they return."""
