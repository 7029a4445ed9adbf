"""Content and speech: the texts of the hotline, what is wrong with them, and how they sound."""
