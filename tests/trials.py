"""How often a fault is tried: little every day, as often as the promises say in `make test-full`."""

from hypothesis import settings


def trials(everyday: int, full: int) -> int:
    """Give the number for the profile that pytest runs with (`--hypothesis-profile=full`)."""
    return full if settings.get_current_profile_name() == "full" else everyday
