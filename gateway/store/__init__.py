"""What is remembered: one subject a file, its table and its queries, as plain functions that take a session."""
