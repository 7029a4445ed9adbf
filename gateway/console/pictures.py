"""A square of dots for a code reader, drawn into the page itself: no file, nothing from elsewhere."""

import segno
from markupsafe import Markup


def scanned(address: str) -> Markup:
    """The address as an SVG picture, black on white in any colours of the page."""
    drawn = segno.make(address, error="m", micro=False).svg_inline(
        scale=5, border=4, dark="#000", light="#fff", omitsize=False
    )
    return Markup(drawn)  # noqa: S704 - of our own making: dots
