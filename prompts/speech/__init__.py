"""Speech: from a text to telephone sound, by a human recording, Google or our own offline voice."""
