"""The gateway: what stands between people, carriers, the conversation and the truth in the database."""
