"""The fixtures of this folder."""

from carriers.twilio.twilio_double import closed_port, double

__all__ = ["closed_port", "double"]
