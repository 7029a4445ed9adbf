"""What people typed into a form, read as what it must be, or not at all."""

from datetime import date


def day(text: str) -> date | None:
    """A day as browsers send it; None for anything else, and for a year that no calendar here needs."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None
