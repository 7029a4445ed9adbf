"""Finds a phone number or a text in whatever form it hides: in clear, compressed, encoded, in other digits.

A plain search finds 3 of the 19 ways that `tests/faults/test_leak_scanner.py` plants. This one undoes what
storage and transport do to bytes, layer by layer, and looks at each layer in a canonical form.
"""

import base64
import binascii
import html
import json
import quopri
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unicodedata import decimal
from urllib.parse import unquote_to_bytes

_DEPTH = 3  # layers undone one inside another, such as JSON in gzip in base64
_LONGEST = 8_000_000  # bytes of one unpacked layer
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){6,}")
_ESCAPES = re.compile(rb"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\[0-7]{3}")
_PERCENT = re.compile(rb"%[0-9a-fA-F]{2}")
_QUOTED = re.compile(rb"=[0-9A-F]{2}|=\r?\n")
_ENTITY = re.compile(rb"&#?[0-9a-zA-Z]{2,8};")
_DIGIT_RUN = re.compile(r"\d(?:[\s.\-/()\u200b-\u200f\u2060_]{0,3}\d){7,}")
_PAGE = 4_096  # of a database's file
_GAP = b"\n\n\n\n"
_MAGIC = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


@dataclass(frozen=True, slots=True)
class Found:
    """Where a secret stands and in which layers; never the secret itself, for this is printed."""

    place: str
    which: int
    how: str


class Scanner:
    """Looks for `numbers` (E.164) by their national digits, also backwards, and for `texts` by their letters."""

    def __init__(self, numbers: Iterable[str] = (), texts: Iterable[str] = ()) -> None:
        self._needles: list[tuple[int, str]] = []
        at = 0
        for at, number in enumerate(numbers, start=1):
            national = _national(number)
            self._needles += [(at, national), (at, national[::-1])]
        self._texts = [(at + n, _letters(text)) for n, text in enumerate(texts, start=1)]

    def folder(self, folder: Path, *, without: Sequence[str] = (), before: Path | None = None) -> list[Found]:
        """Every file below, and the names of all; `without` those that are looked at another time.

        `before` is the folder that this one began as a copy of, before there was anything to find: what still
        stands there byte for byte is not looked at.
        """
        found = []
        for path in sorted(folder.rglob("*")):
            if path.relative_to(folder).parts[0] in without:
                continue
            found += self.data(str(path).encode(), f"name of {path}")
            if path.is_file():
                data = path.read_bytes()
                then = before / path.relative_to(folder) if before else path
                if before and then.is_file():
                    data = _changed(data, then.read_bytes())
                found += self.data(data, str(path))
        return found

    def data(self, data: bytes, place: str) -> list[Found]:
        found = []
        seen: set[bytes] = set()
        layers = [("plain", data)]
        for _ in range(_DEPTH):
            deeper = []
            for how, layer in layers:
                if layer in seen:
                    continue
                seen.add(layer)
                found += [Found(place, which, how) for which in self._in(layer)]
                deeper += [(f"{how} > {name}", below) for name, below in _below(layer)]
            layers = deeper
        for how, layer in layers:
            found += [Found(place, which, how) for which in self._in(layer)]
        return list({(one.which, one.place): one for one in reversed(found)}.values())

    def _in(self, data: bytes) -> set[int]:
        hits: set[int] = set()
        for text in _read_as_text(data):
            digits = "\n".join(map(_ascii_digits, _DIGIT_RUN.findall(text)))
            hits |= {which for which, needle in self._needles if needle in digits}
            if self._texts:
                letters = _letters(text)
                hits |= {which for which, needle in self._texts if needle in letters}
        return hits


def _changed(now: bytes, then: bytes) -> bytes:
    """The pages that are not what they were, those next to each other unbroken."""
    kept = bytearray()
    for at in range(0, len(now), _PAGE):
        page = now[at : at + _PAGE]
        if page != then[at : at + _PAGE]:
            kept += page
        elif not kept.endswith(_GAP):
            kept += _GAP
    return bytes(kept)


def _national(number: str) -> str:
    """What every spelling of a number shares: +95 9 7… and 09 7… alike."""
    return number.removeprefix("+95").removeprefix("+66").removeprefix("+")


def _letters(text: str) -> str:
    return "".join(text.split()).casefold()


def _ascii_digits(run: str) -> str:
    """Digits of any script as ours, without what stands between them."""
    return "".join(str(decimal(one)) for one in run if one.isdecimal())


def _read_as_text(data: bytes) -> Iterator[str]:
    yield data.decode("utf-8", "replace")
    if b"\0" in data:
        for codec in ("utf-16-le", "utf-16-be"):
            yield data.decode(codec, "replace")
            yield data[1:].decode(codec, "replace")
    elif any(byte in data for byte in (0x10, 0xFF)):  # Burmese and full-width digits in UTF-16 hold no zero
        for codec in ("utf-16-le", "utf-16-be"):
            for start in (0, 1):
                yield data[start:].decode(codec, "replace")


def _below(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Every layer that may lie directly under these bytes."""
    yield from (("compressed", one) for one in _unpacked(data))
    spelled_out = _spelled_out(data)
    if spelled_out != data:
        yield "unescaped", spelled_out
    hexes = [bytes.fromhex(run.decode()) for run in _HEX.findall(data)]
    if hexes:
        yield "hex", b"\n".join(hexes)
    coded = [one for run in _BASE64.findall(data) for one in _from_base64(run)]
    if coded:
        yield "base64", b"\n".join(coded)


def _spelled_out(data: bytes) -> bytes:
    """Undo percent signs, quoted-printable, backslashes and entities in one go: a copy for each would explode."""
    if _PERCENT.search(data):
        data = unquote_to_bytes(data.replace(b"+", b" "))
    if _QUOTED.search(data):
        data = quopri.decodestring(data)
    if _ESCAPES.search(data):
        data = _ESCAPES.sub(_unescaped, data)
    if _ENTITY.search(data):
        data = _ENTITY.sub(lambda found: html.unescape(found[0].decode()).encode("utf-8", "replace"), data)
    return data


def _unescaped(found: "re.Match[bytes]") -> bytes:
    escape = found[0].decode()
    if escape[1] == "u":
        return json.loads(f'"{escape}"').encode("utf-8", "surrogatepass")
    return bytes.fromhex(escape[2:]) if escape[1] == "x" else bytes([int(escape[1:], 8) % 256])


def _from_base64(run: bytes) -> Iterator[bytes]:
    """A run may begin with letters that belong to something else: each of four starts is tried."""
    plain = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    for start in range(4):
        some = plain[start:]
        some = some[: len(some) - (len(some) % 4 == 1)]
        try:
            yield base64.b64decode(some + b"=" * (-len(some) % 4))
        except binascii.Error:
            continue


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Whatever zlib or gzip can unpack, wherever in the bytes it begins."""
    for magic in _MAGIC:
        at = data.find(magic)
        while at >= 0:
            reader = zlib.decompressobj(47)  # zlib or gzip, by its own header
            try:
                out = reader.decompress(memoryview(data)[at : at + _LONGEST], _LONGEST)
            except zlib.error:
                out = b""
            if out:
                yield out
            at = data.find(magic, at + 1)
