"""Content and speech: what the hotline says in each language, what it understands, and how it sounds."""
