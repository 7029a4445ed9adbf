"""A phone number that does not print, log, pickle or serialise."""

import re
from typing import Final, Literal, NoReturn, Self, final, get_args

import phonenumbers

from gateway.errors import BadNumber

Reason = Literal["dial", "text", "index", "seal", "demo"]
"""Why a number leaves its wrapping; a house test lists every place that gives one."""

_REASONS: Final = frozenset(get_args(Reason))
_HIDDEN: Final = "Msisdn(hidden)"

_SIGNS: Final = {
    **{first + digit: str(digit) for first in (0x1040, 0x1090, 0xFF10) for digit in range(10)},
    ord("ဝ"): "0",  # the letter wa, which looks like the Burmese zero and is often typed for it
    ord("＋"): "+",
    # Contact lists wrap numbers in invisible direction marks; Burmese keyboards add zero-width signs.
    **dict.fromkeys(
        [0xAD, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A)], ""
    ),
    **dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0xFF0D], "-"),
    **dict.fromkeys([0xA0, *range(0x2000, 0x200B), 0x202F, 0x3000], " "),
    ord("．"): ".",
    ord("·"): ".",
    ord("／"): "/",
}
_FIELD: Final = re.compile(r"\+?[0-9 .()/-]+", re.ASCII)
_SEPARATORS: Final = re.compile(r"[ .()/-]+", re.ASCII)
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
# 09…, 9…, 959…, 9509…: a Myanmar mobile however it was begun. No national number begins with 959 or 950.
_MYANMAR: Final = re.compile(r"(?:0|950?)?(9[0-9]{7,9})", re.ASCII)
_TABLES: Final = phonenumbers.PhoneMetadata.metadata_for_region("MM")
_PATTERN: Final = (_TABLES and _TABLES.mobile and _TABLES.mobile.national_number_pattern) or "(?!)"
_MOBILE: Final = re.compile(_PATTERN, re.ASCII)
# The usual spellings of a Myanmar mobile, by the pattern of the tables that are installed: read forty times as fast
# as by way of the library, and the same, which a test holds.
_PLAIN: Final = re.compile(rf"(?:\+?95|0)(?=9)({_PATTERN})", re.ASCII)
# What carriers put in place of a withheld number: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE
# spelled on a telephone's keys, each of which looks like a number of some country.
_WITHHELD: Final = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
_TYPES: Final = phonenumbers.PhoneNumberType
_COSTLY: Final = frozenset(
    {
        _TYPES.PREMIUM_RATE,
        _TYPES.SHARED_COST,
        _TYPES.UAN,
        _TYPES.PAGER,
        _TYPES.VOICEMAIL,
        _TYPES.PERSONAL_NUMBER,
    }
)


@final
class Msisdn:
    """One phone number in E.164 form, hidden from everything but `reveal`; equal and hashable in memory."""

    __slots__ = ("_e164",)
    _e164: str

    def __init__(self) -> None:
        raise TypeError("use Msisdn.parse or Msisdn.of_caller")

    @classmethod
    def parse(cls, text: str, region: str = "MM") -> Self:
        """Read one number as people type it: Myanmar mobiles in any spelling, all others with + or 00.

        With a `region` other than MM only the form with + is taken. Raises BadNumber, which tells nothing
        of the text, for whatever is not certainly one valid number.
        """
        e164 = _read(text, local=region == "MM")
        if e164 is None:
            raise BadNumber("not one valid phone number")
        return cls._made(e164)

    @classmethod
    def of_caller(cls, text: str) -> Self | None:
        """Read what a carrier gives as the other side's number; None where that is withheld or no number.

        A carrier's number may be newer than our tables, so here the right length for its country is enough.
        """
        withheld = text.strip() in _WITHHELD
        e164 = None if withheld else _read(text, local=True) or _possible(text.strip())
        return None if e164 is None else cls._made(e164)

    @classmethod
    def restored(cls, e164: str) -> Self:
        """Wrap again what `reveal` gave, whatever today's tables say of it; else BadNumber."""
        if not _E164.fullmatch(e164):
            raise BadNumber("not what a number was revealed as")
        return cls._made(e164)

    def reveal(self, reason: Reason) -> str:
        """Give the number in E.164 form: the one way out."""
        if reason not in _REASONS:
            raise ValueError("unknown reason for revealing a number")
        return self._e164

    @property
    def region(self) -> str | None:
        """The country as an ISO 3166 code, or None where the number belongs to none."""
        return phonenumbers.region_code_for_number(phonenumbers.parse(self._e164))

    @property
    def zones(self) -> tuple[str, ...]:
        """The time zones in which its owner may live."""
        from phonenumbers import timezone  # noqa: PLC0415 - its tables are needed for numbers abroad only

        return tuple(timezone.time_zones_for_number(phonenumbers.parse(self._e164)))

    @property
    def costly(self) -> bool:
        """Whether it is a number whose owner is paid by who rings it, or no subscriber's at all."""
        return phonenumbers.number_type(phonenumbers.parse(self._e164)) in _COSTLY

    @classmethod
    def _made(cls, e164: str) -> Self:
        made = object.__new__(cls)
        object.__setattr__(made, "_e164", e164)
        return made

    def __eq__(self, other: object) -> bool:
        return self._e164 == other._e164 if isinstance(other, Msisdn) else NotImplemented

    def __hash__(self) -> int:
        return hash((Msisdn, self._e164))

    def __repr__(self) -> str:
        return _HIDDEN

    def __format__(self, spec: str) -> str:
        return _HIDDEN

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a number does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a number does not change")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a number does not serialise")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a number does not serialise")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a number does not serialise")


def _read(text: str, *, local: bool) -> str | None:
    """Give the E.164 form of what certainly is one number, else None."""
    if local and (plain := _PLAIN.fullmatch(text)):
        return "+95" + plain[1]
    field = text.translate(_SIGNS).strip()
    if field[:1] in {"o", "O"}:  # typed for the zero that begins a local number
        field = "0" + field[1:]
    if len(field) > 40 or not _FIELD.fullmatch(field):
        return None
    parts = field.split("/")
    if any(_number("".join(parts[:end]), local=local) for end in range(1, len(parts))):
        return None  # two numbers, as in 09…/09… or 09…/46, not one with a slash in it
    return _number(field, local=local)


def _number(field: str, *, local: bool) -> str | None:
    digits = _SEPARATORS.sub("", field)
    if local and not digits.startswith("+"):
        if digits.startswith("00"):
            digits = "+" + digits[2:]
        elif mobile := _MYANMAR.fullmatch(digits):
            return "+95" + mobile[1] if _MOBILE.fullmatch(mobile[1]) else None
    return _valid(digits)


def _valid(number: str) -> str | None:
    if not _E164.fullmatch(number):
        return None
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _possible(number: str) -> str | None:
    """Give a number that carries its country and has a length in use there, else None."""
    if not _E164.fullmatch(number):
        return None
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(parsed) else None
