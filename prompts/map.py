"""The tree of the menus as a picture: an SVG without script, style or anything from elsewhere.

From each starting point the menus stand in columns from left to right, each drawn once, where the fewest keys
lead to it; whatever else leads there names it, as a link. A line never crosses another, and no box covers one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Final

from ivr.script import Script
from prompts.lettering import is_burmese, width, wrapped
from prompts.library import Library
from prompts.map_boxes import Boxes, Content, Row
from prompts.map_words import Words

WIDE: Final = 372.0  # a box
GUTTER: Final = 76.0  # between two columns, where the lines run
MARGIN: Final = 28.0
PAD: Final = 14.0
KEYS: Final = 84.0  # the column of keys in a box
BETWEEN: Final = 26.0  # one box and the next below
SAYS_LINES, LATER_LINES, NOTE_LINES = 3, 2, 2

# The kinds of letters: size, whether bold, colour.
_TYPES: Final[Mapping[str, tuple[float, bool, str]]] = {
    "title": (22, True, "#1e2a32"),
    "start": (17, True, "#0c5f58"),
    "name": (15, True, "#1e2a32"),
    "say": (13, False, "#26323a"),
    "later": (12, False, "#57646d"),
    "key": (13, True, "#0c5f58"),
    "to": (13, True, "#1e2a32"),
    "if": (11.5, False, "#76500a"),
    "do": (11.5, True, "#8f2427"),
    "note": (11.5, False, "#57646d"),
    "tag": (11, True, "#57646d"),
    "small": (11, False, "#57646d"),
}
_REVIEWS: Final = {"draft": "#76500a", "reviewed": "#17693b", "recorded": "#0c5f58"}
_ANCHORS: Final = {"tag": (0.5, "middle"), "small": (1.0, "end")}
_FONT: Final = "Burmese, Noto Sans, DejaVu Sans, Noto Sans Myanmar, Padauk, Myanmar Text, sans-serif"


@dataclass(frozen=True, slots=True)
class Text:
    """One line of letters; `x` is its left end, `top` and `height` its room."""

    text: str
    kind: str
    x: float
    top: float
    height: float
    to: str = ""
    colour: str = ""

    @property
    def size(self) -> float:
        return _TYPES[self.kind][0]

    @property
    def width(self) -> float:
        return width(self.text, self.size, bold=_TYPES[self.kind][1])

    @property
    def baseline(self) -> float:
        return self.top + self.height / 2 + self.size * 0.36


@dataclass(frozen=True, slots=True)
class Band:
    """Where a way on stands in its box; `ruled` where a line is above it."""

    top: float
    bottom: float
    to: str
    ruled: bool


@dataclass(frozen=True, slots=True)
class Box:
    """A menu where it stands, with its ways on."""

    name: str
    x: float
    y: float
    height: float
    texts: tuple[Text, ...]
    rows: tuple[Band, ...]

    def moved(self, x: float, y: float) -> "Box":
        texts = tuple(replace(one, x=one.x + x, top=one.top + y) for one in self.texts)
        rows = tuple(replace(one, top=one.top + y, bottom=one.bottom + y) for one in self.rows)
        return Box(self.name, self.x + x, self.y + y, self.height, texts, rows)


@dataclass(frozen=True, slots=True)
class Edge:
    """From a row's right end at (x, y) through the gutter, up or down at `lane`, to the box one column on."""

    x: float
    y: float
    end: float
    lane: float

    @property
    def to(self) -> float:
        return self.x + GUTTER


@dataclass
class Drawing:
    """The whole map, in pixels."""

    boxes: list[Box] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    headings: list[Text] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


# --- where everything stands --------------------------------------------------------------------------


def lay_out(library: Library, language: str, *, reading: str = "en") -> Drawing:
    """Place every menu of the library's script; wordings are in `language`, labels in `reading`."""
    words = Words(reading)
    boxes = Boxes(library, language, words)
    drawn = {name: _box(boxes.of(menu), words) for name, menu in library.script.menus.items()}
    drawing = Drawing()
    below = _headings(drawing, boxes)
    for heading, first, tree in _trees(library.script, words):
        drawing.headings.append(_text(heading, "start", MARGIN, below))
        below = _place(drawing, drawn, tree, first, MARGIN, below + _line(heading, "start") + 8) + 2 * BETWEEN
    drawing.width = (
        max(
            max((box.x + WIDE for box in drawing.boxes), default=0.0),
            max((one.x + one.width for one in drawing.headings), default=0.0),
        )
        + MARGIN
    )
    drawing.height = below
    return drawing


def _headings(drawing: Drawing, boxes: Boxes) -> float:
    words = boxes.words
    keys = " · ".join(
        f"{key} {'; '.join(words for kind, words in boxes.row(key, option).notes if kind in {'to', 'do'})}"
        for key, option in boxes.script.everywhere.items()
    )
    top = MARGIN
    goodbye = boxes.library.voice(boxes.language, boxes.script.goodbye).text
    for kind, text in (
        ("title", words.label("title")),
        ("later", f"{words.label('everywhere')}: {keys}"),
        ("later", f"{words.label('unless_said')}: “{goodbye}”"),
        ("later", words.label("legend")),
    ):
        drawing.headings.append(_text(text, kind, MARGIN, top))
        top += _line(text, kind) + 6
    return top + BETWEEN / 2


def _trees(script: Script, words: Words) -> Iterator[tuple[str, str, dict[str, list[str]]]]:
    """For each starting point its heading, its first menu, and which menus are drawn after which."""
    seen: set[str] = set()
    for kind, first in script.starts.items():
        if first not in seen:
            yield words.start(kind), first, _tree(script, first, seen)
    for name in script.menus:
        if name not in seen:
            yield words.label("unreached"), name, _tree(script, name, seen)


def _tree(script: Script, first: str, seen: set[str]) -> dict[str, list[str]]:
    tree: dict[str, list[str]] = {first: []}
    seen.add(first)
    ahead = [first]
    while ahead:
        name = ahead.pop(0)
        for to in _ways(script, name):
            if to not in seen:
                seen.add(to)
                tree[name].append(to)
                tree[to] = []
                ahead.append(to)
    return tree


def _ways(script: Script, name: str) -> list[str]:
    """The menus that a menu leads to, in the order of its rows."""
    menu = script.menus[name]
    grouped = [option for group in menu.keys.values() for option in group]
    single = (menu.other, menu.silent, menu.then, menu.over, menu.nothing, menu.machine)
    ways = [*grouped, *menu.own, *menu.entry, *(one for one in single if one)]
    return [one.to for one in ways if one.to in script.menus]


def _place(
    drawing: Drawing, drawn: Mapping[str, Box], tree: Mapping[str, list[str]], name: str, x: float, y: float
) -> float:
    """Put the menu and all that is drawn after it; return how far down that reaches."""
    box = drawn[name].moved(x, y)
    drawing.boxes.append(box)
    below, top = y + box.height, y
    tops: dict[str, float] = {}
    for child in tree[name]:
        tops[child] = top
        end = _place(drawing, drawn, tree, child, x + WIDE + GUTTER, top)
        below, top = max(below, end), end + BETWEEN
    drawing.edges += _edges(box, tops)
    return below


def _edges(box: Box, tops: Mapping[str, float]) -> Iterator[Edge]:
    """The lines to what is drawn after a box, whose tops these are, each in a lane of its own so that none cross.

    A row out of turn has its link only. Lines that rise take lanes from left to right, those that fall from
    right to left: so a line has always left the way of the next one.
    """
    lowest = 0.0
    ways: list[tuple[float, float]] = []
    for row in box.rows:
        if tops.get(row.to, -1.0) >= lowest:
            lowest = tops[row.to]
            ways.append(((row.top + row.bottom) / 2, lowest + 20))
    falling = [way for way in ways if way[1] > way[0]]
    rising = [way for way in ways if way[1] <= way[0]]
    for lanes, group in ((range(len(rising)), rising), (reversed(range(len(falling))), falling)):
        step = (GUTTER - 36) / max(1, len(group))
        for lane, (y, end) in zip(lanes, group, strict=True):
            yield Edge(box.x + WIDE, y, end, box.x + WIDE + 14 + step * (lane + 0.5))


# --- one box ------------------------------------------------------------------------------------------


def _box(content: Content, words: Words) -> Box:
    texts: list[Text] = [_text(content.name, "name", PAD, 8)]
    y = 8 + _line(content.name, "name") + 2
    for kind, said in content.says:
        most = SAYS_LINES if kind == "say" else LATER_LINES
        y = _write(texts, said, kind, PAD, y, WIDE - 2 * PAD, most) + 2
    rows: list[Band] = []
    for row in content.rows:
        bottom = _write_row(texts, row, y + 6)
        rows.append(Band(y, bottom + 6, row.to, ruled=bool(row.key)))
        y = bottom + 6
    y += 8
    x = PAD
    for language, review in content.reviews:
        tag = _text(f"{language} {words.review(review)}", "tag", x + 7, y, colour=_REVIEWS[review])
        texts.append(tag)
        x += tag.width + 22
    if content.footer:
        footer = _text(content.footer, "small", 0, y)
        left = WIDE - PAD - footer.width
        if left < x:
            y += footer.height + 4
        texts.append(replace(footer, x=left, top=y))
    bottom = max(text.top + text.height for text in texts)
    return Box(content.name, 0.0, 0.0, bottom + 10, tuple(texts), tuple(rows))


def _write_row(texts: list[Text], row: Row, y: float) -> float:
    key_end = _write(texts, row.key, "key", PAD, y, KEYS - 8, 2)
    left = PAD + KEYS
    for kind, said in row.notes:
        to = row.to if kind == "to" else ""
        y = _write(texts, said, kind, left, y, WIDE - PAD - left, NOTE_LINES, to=to)
    return max(y, key_end)


def _write(
    texts: list[Text], said: str, kind: str, x: float, y: float, room: float, most: int, *, to: str = ""
) -> float:
    """Add the lines of a text; return where they end."""
    size, bold, _ = _TYPES[kind]
    for line in wrapped(said, size, room, most=most, bold=bold):
        texts.append(_text(line, kind, x, y, to=to))
        y += texts[-1].height
    return y


def _text(text: str, kind: str, x: float, top: float, *, to: str = "", colour: str = "") -> Text:
    return Text(text, kind, x, top, _line(text, kind), to, colour)


def _line(text: str, kind: str) -> float:
    """How much room a line needs: Burmese stacks above and below."""
    return _TYPES[kind][0] * (1.9 if is_burmese(text) else 1.4)


# --- as SVG -------------------------------------------------------------------------------------------


def svg(library: Library, language: str, *, reading: str = "en") -> str:
    """The map as one SVG element, fit for a page with the strictest policy and for a file of its own."""
    words = Words(reading)
    drawing = lay_out(library, language, reading=reading)
    across, down = round(drawing.width), round(drawing.height)
    title = words.label("title")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="map" width="{across}" height="{down}" '
        f'viewBox="0 0 {across} {down}" role="group" aria-label="{escape(title)}" '
        f'font-family="{_FONT}" lang="{escape(reading)}">'
    )
    return "\n".join(
        (
            head,
            f"<title>{escape(title)}</title>",
            f'<rect class="paper" width="{across}" height="{down}" fill="#f5f3ee"/>',
            *(_edge(edge) for edge in drawing.edges),
            *(_letters(text) for text in drawing.headings),
            *(part for box in drawing.boxes for part in _framed(box)),
            "</svg>",
        )
    )


def _edge(edge: Edge) -> str:
    y, end, lane = edge.y, edge.end, edge.lane
    to = edge.to - 7
    turn = min(8.0, abs(end - y) / 2)
    down = turn if end > y else -turn
    return (
        f'<path class="edge" d="M{edge.x:.0f} {y:.1f}H{lane - turn:.1f}Q{lane:.1f} {y:.1f} {lane:.1f} {y + down:.1f}'
        f'V{end - down:.1f}Q{lane:.1f} {end:.1f} {lane + turn:.1f} {end:.1f}H{to:.1f}" '
        f'fill="none" stroke="#7f9a97" stroke-width="1.6"/>'
        f'<path class="tip" d="M{to - 1:.0f} {end - 4.5:.1f}l8 4.5l-8 4.5z" fill="#7f9a97"/>'
    )


def _framed(box: Box) -> Iterator[str]:
    yield f'<g id="menu-{escape(box.name)}" class="menu" role="group" aria-label="{escape(box.name)}">'
    yield (
        f'<rect class="box" x="{box.x:.0f}" y="{box.y:.1f}" width="{WIDE:.0f}" height="{box.height:.1f}" '
        f'rx="12" fill="#fffefb" stroke="#cfc9bb"/>'
    )
    for row in box.rows:
        if row.ruled:
            yield f'<path class="rule" d="M{box.x + PAD:.0f} {row.top + 2:.1f}h{WIDE - 2 * PAD:.0f}" stroke="#e6e1d5"/>'
    for text in box.texts:
        if text.kind == "tag":
            yield (
                f'<rect class="pill" x="{text.x - 7:.1f}" y="{text.top:.1f}" width="{text.width + 14:.1f}" '
                f'height="{text.height:.1f}" rx="8" fill="none" stroke="{text.colour}"/>'
            )
        yield _letters(text)
    yield "</g>"


def _letters(text: Text) -> str:
    size, bold, colour = _TYPES[text.kind]
    weight = ' font-weight="600"' if bold else ""
    x, anchor = text.x, ""
    if text.kind in _ANCHORS:  # the room is reckoned wide: what is left of it goes to where it looks best
        share, name = _ANCHORS[text.kind]
        x, anchor = x + text.width * share, f' text-anchor="{name}"'
    written = (
        f'<text class="{text.kind}" x="{x:.1f}" y="{text.baseline:.1f}" font-size="{size:g}"{weight}{anchor} '
        f'fill="{text.colour or colour}">{escape(text.text)}</text>'
    )
    return f'<a href="#menu-{escape(text.to)}">{written}</a>' if text.to else written
