"""What carriers and browsers fetch without an account: webhooks (signed), sounds and health (public by name)."""
