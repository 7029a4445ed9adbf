"""Draws a campaign over time as an SVG file of its own, with attributes only: the policy allows no inline style."""

from collections.abc import Sequence
from datetime import tzinfo
from html import escape
from typing import Final

from gateway.services.results import Curve

_WIDTH: Final = 420  # narrow, so that its letters can be read on a small phone
_HEIGHT: Final = 200
_LEFT: Final = 48
_BOTTOM: Final = 28
_TOP: Final = 28
_TEXT: Final = 'font-size="13" font-family="sans-serif" fill="#78716c"'  # readable by day and by night
_GRID: Final = 'fill="none" stroke="#a8a29e" stroke-width="0.5"'
_REACHED: Final = 'fill="none" stroke="#0d9488" stroke-width="2.5"'
_OTHERS: Final = 'fill="none" stroke="#d97706" stroke-width="2.5" stroke-dasharray="6 4"'


def curve(found: Curve, zone: tzinfo, *, reached: str, others: str) -> str:
    """Two rising lines with their names; where nothing happened yet, an empty frame."""
    top = max((*found.reached, *found.others, 5))
    parts = [_grid(at, top) for at in ((0, top // 2, top) if top >= 10 else (0, top))]
    parts += [
        f'<path {_REACHED} d="{_path(found.reached, top)}"/>',
        f'<path {_OTHERS} d="{_path(found.others, top)}"/>',
        f'<path {_REACHED} d="M{_LEFT} 14h24"/><text {_TEXT} x="{_LEFT + 30}" y="18">{escape(reached)}</text>',
        f'<path {_OTHERS} d="M{_LEFT + 180} 14h24"/><text {_TEXT} x="{_LEFT + 210}" y="18">{escape(others)}</text>',
    ]
    for at, hour in _ends(len(found.hours)):
        local = found.hours[at].astimezone(zone)
        anchor = "start" if at == 0 else "end"
        parts.append(
            f'<text {_TEXT} x="{_x(hour)}" y="{_HEIGHT - 8}" text-anchor="{anchor}">'
            f"{local.day}.{local.month}. {local:%H:%M}</text>"
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
        f"{''.join(parts)}</svg>"
    )


def _grid(count: int, top: int) -> str:
    y = _y(count, top)
    return (
        f'<path {_GRID} d="M{_LEFT} {y}H{_WIDTH - 8}"/>'
        f'<text {_TEXT} x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{count}</text>'
    )


def _path(counts: Sequence[int], top: int) -> str:
    """From nothing up to each hour's count."""
    if not counts:
        return f"M{_LEFT} {_y(0, top)}"
    points = [(_x(at / len(counts)), _y(count, top)) for at, count in enumerate((0, *counts))]
    return "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in points)


def _ends(hours: int) -> list[tuple[int, float]]:
    if not hours:
        return []
    return [(0, 0.0)] if hours == 1 else [(0, 0.0), (hours - 1, 1.0)]


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - 8 - _LEFT)


def _y(count: int, top: int) -> float:
    return _HEIGHT - _BOTTOM - count / top * (_HEIGHT - _BOTTOM - _TOP)
