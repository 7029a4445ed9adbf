"""Burmese as people type it and as their phones can show it: pure text in, pure text out."""
