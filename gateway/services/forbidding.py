"""A do-not-contact list from a file: read line by line, kept as keyed indexes, its numbers never stored or echoed."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from gateway.errors import BadNumber, Refused
from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.store import contacts
from gateway.store.database import Session

BATCH: Final = 10_000
"""Numbers in one transaction: a list that is cut short is there up to the last of these, and may be given again."""
LONGEST_LINE: Final = 2_000
_CHUNK: Final = 1 << 18
_PACKED: Final = (b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"7z\xbc\xaf", b"BZh", b"Rar!", b"%PDF")
_WIDE: Final = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_ROUNDED: Final = re.compile(r"[0-9][.,][0-9]+[eE]\+?[0-9]", re.ASCII)
_BETWEEN: Final = re.compile(r"[/;,|]|\s+(?=[+0၀၉9])|\s(?:or|and|&)\s")
_HEADINGS: Final = frozenset(
    {"phone", "phonenumber", "number", "mobile", "msisdn", "tel", "telephone", "contact", "ဖုန်း", "ဖုန်းနံပါတ်"}
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Lines that could not be read, `first` to `last`, all for the same reason."""

    first: int
    last: int
    why: str


@dataclass(slots=True)
class Report:
    """What became of a list: lines with a number, how many changed something, and those that could not be read."""

    numbers: int = 0
    changed: int = 0
    unread: int = 0
    faults: list[Fault] = field(default_factory=list)
    more: bool = False
    """Whether there are more faults than are told."""

    def fault(self, line: int, why: str, *, most: int = 1_000) -> None:
        self.unread += 1
        last = self.faults[-1] if self.faults else None
        if last and last.why == why and last.last == line - 1:
            self.faults[-1] = Fault(last.first, line, why)
        elif len(self.faults) < most:
            self.faults.append(Fault(line, line, why))
        else:
            self.more = True


def forbid(
    runtime: Runtime, given: BinaryIO, *, lift: bool = False, told: Callable[[int], None] | None = None
) -> Report:
    """Never contact any number of this list; with `lift`, take them off it again.

    `told` is given the count so far after each batch. Raises `Refused` (list_packed, list_not_text) for what is no
    list at all, before anything is kept; `StoreDown` and `KeystoreDown` leave the batches before them.
    """
    report = Report()
    do = contacts.unlist if lift else contacts.list_all
    batch: set[bytes] = set()
    for line, found in read(given):
        if isinstance(found, str):
            report.fault(line, found)
            continue
        report.numbers += 1
        batch.add(runtime.vault.index(found))
        if len(batch) >= BATCH:
            _keep(runtime, do, batch, report)
            if told:
                told(report.numbers)
    _keep(runtime, do, batch, report)
    return report


def _keep(
    runtime: Runtime, do: Callable[[Session, list[bytes]], int], batch: set[bytes], report: Report
) -> None:
    if not batch:
        return
    with runtime.database.write() as session:
        report.changed += do(session, sorted(batch))
    batch.clear()


# --- reading ------------------------------------------------------------------------------------------


def read(given: BinaryIO) -> Iterator[tuple[int, Msisdn | str]]:
    """Give each line's number with the line's, or in place of the number why it has none.

    Empty lines, lines that begin with # and one heading are passed over.
    """
    columns = _Columns()
    for number, line in enumerate(_lines(given), start=1):
        if line is None:
            yield number, "long"
            continue
        try:
            yield number, Msisdn.parse(line)  # as most lines are
            continue
        except BadNumber:
            pass
        plain = line.strip().strip('"').strip()
        if plain and not plain.startswith("#"):
            found = columns.number_in(line)
            if found is not None:
                yield number, found


def _lines(given: BinaryIO) -> Iterator[str | None]:
    """Lines of any ending and of UTF-8 or marked UTF-16, in little memory; None for one that is far too long."""
    first = given.read(_CHUNK)
    if first.startswith(_PACKED):
        raise Refused("list_packed")
    encoding = next((name for mark, name in _WIDE.items() if first.startswith(mark)), "utf-8-sig")
    if encoding == "utf-8-sig" and b"\0" in first[:4_096]:
        raise Refused("list_not_text")
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder(encoding)(errors="replace"), translate=True
    )
    rest, cut, chunk = "", False, first
    while chunk:
        *lines, rest = (rest + decoder.decode(chunk)).split("\n")
        for line in lines:
            yield None if cut or len(line) > LONGEST_LINE else line
            cut = False
        if len(rest) > LONGEST_LINE:  # its end may be megabytes away: only that it is too long is kept
            rest, cut = "", True
        chunk = given.read(_CHUNK)
    rest += decoder.decode(b"", final=True)
    if rest or cut:
        yield None if cut or len(rest) > LONGEST_LINE else rest


@dataclass(slots=True)
class _Columns:
    """What was learnt of a table: its separator and the column with the numbers, where a heading names them."""

    separator: str = ""
    column: int | None = None
    begun: bool = False

    def number_in(self, line: str) -> Msisdn | str | None:
        """The one number of a line, or why there is none; None for a heading."""
        first, self.begun = not self.begun, True
        fields = self._fields(line)
        if first and not any(character.isdigit() for character in line):
            headings = [re.sub(r"[^\w]", "", one.casefold()) for one in fields]
            named = [at for at, heading in enumerate(headings) if heading in _HEADINGS]
            self.column = named[0] if len(named) == 1 else None
            return None
        if self.column is not None:
            fields = fields[self.column : self.column + 1]
        whole = fields == [line]  # which was looked at already
        found = set() if whole else {one for one in map(_number, fields) if one is not None}
        if len(found) == 1:
            return found.pop()
        if found or any(_holds_two(one) for one in fields):
            return "two"
        return "rounded" if any(_ROUNDED.search(one) for one in (line, *fields)) else "none"

    def _fields(self, line: str) -> list[str]:
        if not self.separator:
            self.separator = max(",;\t|", key=line.count)
        try:
            return next(csv.reader([line], delimiter=self.separator), [])
        except csv.Error:
            return [line]


def _number(text: str) -> Msisdn | None:
    try:
        return Msisdn.parse(text)
    except BadNumber:
        return None


def _holds_two(text: str) -> bool:
    """Whether a cell holds two numbers: none is guessed at."""
    parts = [part for part in _BETWEEN.split(text) if part.strip()]
    return len(parts) > 1 and sum(_number(part) is not None for part in parts) > 1
