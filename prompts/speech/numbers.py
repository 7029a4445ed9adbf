"""Numbers as Burmese speakers say them, written in Burmese letters the way they sound."""

import re

_DIGITS = {
    "0": "သုည", "1": "တစ်", "2": "နှစ်", "3": "သုံး", "4": "လေး",
    "5": "ငါး", "6": "ခြောက်", "7": "ခွန်နှစ်", "8": "ရှစ်", "9": "ကိုး",
}  # fmt: skip
# Before a unit one, two and seven are said weakly (tə, n̥ə, kʰʊ̀ɴn̥ə).
_BEFORE_UNIT = _DIGITS | {"1": "တ", "2": "နှ", "7": "ခွန်နှ"}
# A unit: alone, before more digits (creaky tone), and both voiced, as after a digit that ends in a vowel.
_UNITS = [
    (10**7, "ကုဋေ", "ကုဋေ", "ကုဋေ", "ကုဋေ"),
    (10**6, "သန်း", "သန်း", "သန်း", "သန်း"),
    (10**5, "သိန်း", "သိန်း", "သိန်း", "သိန်း"),
    (10**4, "သောင်း", "သောင်း", "သောင်း", "သောင်း"),
    (10**3, "ထောင်", "ထောင့်", "ဒောင်", "ဒောင့်"),
    (10**2, "ရာ", "ရာ့", "ရာ", "ရာ့"),
    (10, "ဆယ်", "ဆယ့်", "ဇယ်", "ဇယ့်"),
]
_VOICING = "3459"
_ASCII = str.maketrans("၀၁၂၃၄၅၆၇၈၉႐႑႒႓႔႕႖႗႘႙", "01234567890123456789")
_SAID_DIGIT_BY_DIGIT = 8  # from so many digits on it is a number to dial, not an amount
_COUNTED = 15  # nor is anything so long an amount that somebody could follow, even in groups of three
# The letter ဝ typed for zero: after a digit or before one, where it begins no syllable of its own (၁ဝန်ထမ်း).
_WITH_WA = re.compile(
    "(?:(?<![\u1000-\u103f])ဝ+)?[0-9][0-9ဝ]*(?:[,.][0-9ဝ]+)*(?![\u102b-\u103e]|[က-အ]့?[်္])", re.ASCII
)

_TOKEN = re.compile(
    r"(?P<dial>(?=\+?(?:[0-9][ -]?){6})(?:\+|(?<![0-9])0)[0-9]+(?:[ -][0-9]+)+)"
    r"|(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?![0-9:])"
    r"|(?P<plus>\+)?(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)"
    r"(?:\.(?P<decimals>[0-9]+))?(?P<percent> ?%)?"
    r"|(?P<to>(?<=[0-9])\s*[-–]\s*(?=[0-9]))"
    r"|(?P<sign>[*#])",
    re.ASCII,
)
_SIGNS = {"*": "ကြယ်ပွင့်", "#": "ဟက်ရှ်"}


def spelled_out(text: str) -> str:
    """`text` with every number, clock time, per cent, `*` and `#` in letters, set apart by spaces.

    Burmese, Shan and ASCII digits alike; a leading zero, a plus or eight digits and more go digit by digit, with
    the groups that follow.
    """
    text = _WITH_WA.sub(lambda figures: figures[0].replace("ဝ", "0"), text.translate(_ASCII))
    return _TOKEN.sub(lambda m: f" {_said(m)} ", text)


def said(number: int) -> str:
    """A whole number from 0, as counted: 150 is တရာ့ငါးဇယ်."""
    if number == 0:
        return _DIGITS["0"]
    parts: list[str] = []
    rest = number
    for size, alone, joined, voiced, voiced_joined in _UNITS:
        count, rest = divmod(rest, size)
        if not count:
            continue
        if count > 9:
            parts.append(said(count) + (joined if rest else alone))
            continue
        loud = str(count) in _VOICING
        unit = (voiced_joined if loud else joined) if rest else (voiced if loud else alone)
        teen = size == 10 and count == 1 and not parts
        parts.append(unit if teen else _BEFORE_UNIT[str(count)] + unit)
    return "".join(parts) + (_DIGITS[str(rest)] if rest else "")


def digits(figures: str) -> str:
    """ASCII digits one by one, with a space between so that none runs into the next."""
    return " ".join(_DIGITS[figure] for figure in figures)


def _said(match: re.Match[str]) -> str:
    if match["dial"]:
        return digits(re.sub("[^0-9]", "", match["dial"]))
    if match["to"]:
        return "မှ"
    if match["sign"]:
        return _SIGNS[match["sign"]]
    if match["hour"]:
        hour = said(int(match["hour"])) + "နာရီ"
        return hour if match["minute"] == "00" else hour + " " + said(int(match["minute"])) + "မိနစ်"
    whole = match["whole"].replace(",", "")
    by_digit = match["plus"] or (len(whole) > 1 and whole[0] == "0") or len(whole) >= _SAID_DIGIT_BY_DIGIT
    counted = len(whole) < _COUNTED and ("," in match["whole"] or not by_digit)
    spoken = said(int(whole)) if counted else digits(whole)
    if match["decimals"]:
        spoken += " ဒဿမ ".replace("ဿ", "သ်သ") + digits(match["decimals"])
    return spoken + (" ရာခိုင်နှုန်း" if match["percent"] else "")
