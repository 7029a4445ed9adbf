"""Numbers land on one form in every spelling, and never leave their wrapping."""

import copy
import dataclasses
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadNumber
from gateway.phone import Msisdn

E164 = "+959420012345"
NUMBER = Msisdn.parse(E164)

SPELLINGS = [
    "09420012345",
    "9420012345",
    "+959420012345",
    "00959420012345",
    "959420012345",
    "+9509420012345",
    "9509420012345",
    "009509420012345",
    "o9420012345",
    "O9420012345",
    "၀၉၄၂၀၀၁၂၃၄၅",
    "ဝ၉၄၂ဝဝ၁၂၃၄၅",
    "႐႙႔႒႐႐႑႒႓႔႕",
    "０９４２００１２３４５",
    "＋၉၅၉၄၂၀၀၁၂၃၄၅",
    "09 42 001 2345",
    "09-420-012-345",
    "09.420.012.345",
    "09/420012345",
    "(09) 420012345",
    "+95 (0) 9 420 012 345",
    "09–420–012345",
    "  09420012345\n",
    "\u202a+95\u00a09\u00a0420012345\u202c",
    "09\u200b420012345",
]

REFUSED = [
    "",
    "   ",
    "+",
    "hello",
    "9.59E+11",
    "9.59e11",
    "9,59E+11",
    "959420012345.0E",
    "09420012345 09420012346",
    "09420012345, 09420012346",
    "09420012345;09420012346",
    "09420012345\n09420012346",
    "09420012345/09420012346",
    "09420012345/46",
    "09420012345/6",
    "+959420012345+959420012346",
    "09420012345 ext 5",
    "09420012345 x5",
    "09420012345#5",
    "09420012345;ext=5",
    "tel:09420012345",
    "09-CALL-ME-NOW",
    "0942OO12345",
    "0812345678",  # Thai; for the library a valid landline in Myanmar
    "812345678",
    "01234567",  # a landline in Yangon, written locally
    "0945",
    "+95945",
    "+95942001234567890",
    "٠٩٤٢٠٠١٢٣٤٥",
    "๐๙๔๒๐๐๑๒๓๔๕",
    "+٩٥٩٤٢٠٠١٢٣٤٥",
    "①②③④⑤⑥⑦⑧⑨",
    "+" + "9" * 5000,
    "9" * 5000,
    "/" * 39 + "0",
    "\x0009420012345",
]

WITHHELD = [
    "+266696687",
    "+7378742833",
    "+2562533",
    "+8656696",
    "+86282452253",
    "anonymous",
    "Anonymous",
    "",
    "unknown",
    "sip:someone@host.example",
    "sip:+959420012345@host.example",
    "client:somebody",
    "MPT",
    "1234",
    "+12345",
]

mobiles = st.from_regex(r"9420[0-9]{6}|9(?:6[5-9]|77|79)[0-9]{7}|95[0-6][0-9]{5}", fullmatch=True)
separators = st.sampled_from(["", " ", "-", ".", "/", "\u00a0", "\u200b", " - "])
scripts = st.sampled_from(["0123456789", "၀၁၂၃၄၅၆၇၈၉", "႐႑႒႓႔႕႖႗႘႙", "０１２３４５６７８９"])


@pytest.mark.parametrize("text", SPELLINGS)
def test_every_way_to_write_a_myanmar_mobile_lands_on_the_same_number(text: str) -> None:
    assert Msisdn.parse(text) == NUMBER


@given(mobiles, st.sampled_from(["0", "", "+95", "0095", "95", "+950", "950", "o"]), scripts, st.data())
def test_prefix_script_and_separators_change_nothing(
    national: str, prefix: str, script: str, data: st.DataObject
) -> None:
    digits = [*prefix, *national] if prefix else list(national)
    spelled = "".join(
        (script[int(sign)] if sign.isdigit() else sign)
        + (data.draw(separators) if place > 3 and place < len(digits) - 3 else "")
        for place, sign in enumerate(digits)
    )
    if "/" in spelled:  # what stands before a slash must not be a number itself
        spelled = spelled.replace("/", " ")
    assert Msisdn.parse(spelled) == Msisdn.parse("+95" + national)


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_certainly_one_number_is_refused_and_not_guessed(text: str) -> None:
    with pytest.raises(BadNumber) as refused:
        Msisdn.parse(text)
    assert str(refused.value) == "not one valid phone number"


@given(mobiles, mobiles, st.sampled_from([" ", "/", ",", ";", "\n", "\t", " or ", " / ", "-", "", "+", "&"]))
def test_two_numbers_in_one_field_are_never_taken_for_one(first: str, second: str, between: str) -> None:
    for prefix in ("0", "+95", "0095", "95"):
        with pytest.raises(BadNumber):
            Msisdn.parse(f"{prefix}{first}{between}{prefix}{second}")


@pytest.mark.promise(29)
@given(st.text(max_size=30))
def test_any_text_at_all_gives_a_number_or_a_refusal(text: str) -> None:
    try:
        number = Msisdn.parse(text).reveal("index")
    except BadNumber:
        return
    assert number.isascii()
    assert number.startswith("+")
    assert number[1:].isdigit()


def test_other_countries_need_their_prefix() -> None:
    assert Msisdn.parse("+66 81 234 5678").reveal("dial") == "+66812345678"
    assert Msisdn.parse("0066812345678").region == "TH"
    assert Msisdn.parse("+1 (202) 555-0100").region == "US"
    with pytest.raises(BadNumber):
        Msisdn.parse("2025550100")
    with pytest.raises(BadNumber):
        Msisdn.parse("09420012345", region="TH")


@pytest.mark.parametrize("text", WITHHELD)
def test_a_withheld_caller_is_nobody(text: str) -> None:
    assert Msisdn.of_caller(text) is None


def test_a_caller_whose_number_is_newer_than_our_tables_is_still_somebody() -> None:
    unknown = Msisdn.of_caller("+959999999999")
    assert unknown is not None
    assert Msisdn.restored(unknown.reveal("seal")) == unknown


def test_a_caller_is_found_under_the_number_that_was_typed() -> None:
    assert Msisdn.of_caller("+959420012345") == Msisdn.parse("၀၉ ၄၂၀ ၀၁၂ ၃၄၅")
    assert len({Msisdn.of_caller("+959420012345"), Msisdn.parse("09420012345")}) == 1


def test_only_what_was_revealed_can_be_restored() -> None:
    for text in ("09420012345", "", "+95942001234၅", "+959420012345\n"):
        with pytest.raises(BadNumber):
            Msisdn.restored(text)


@dataclasses.dataclass
class Holder:
    number: Msisdn


@pytest.mark.promise(1)
@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        lambda number: f"{number}",
        lambda number: f"{number!s:>40}",
        lambda number: f"{number!r}",
        lambda number: "%s" % number,  # noqa: UP031 - the old way to print
        lambda number: format(number, "x<20"),
        lambda number: repr([number, {number: number}]),
        lambda number: repr(Holder(number)),
        lambda number: repr(dataclasses.asdict(Holder(number))),
        lambda number: repr(copy.deepcopy([number])),
        lambda number: json.dumps({"number": number}, default=str),
        lambda number: json.dumps({"number": number}, default=repr),
        lambda number: repr(BadNumber(number)),
    ],
)
def test_a_number_does_not_show_in_any_text(shown: object) -> None:
    assert callable(shown)
    text = shown(NUMBER)
    assert "hidden" in text
    assert not any(digit in text for digit in "0123456789")


@pytest.mark.promise(1)
@pytest.mark.parametrize(
    "leak",
    [
        pickle.dumps,
        lambda number: pickle.dumps({"n": Holder(number)}, protocol=0),
        json.dumps,
        lambda number: json.dumps({number: 1}),
        vars,
        lambda number: number.__getstate__(),
        list,
        len,
        lambda number: number[:3],
        lambda number: "9" in number,
        lambda number: number + "",
        lambda number: "" + number,
        lambda number: str.join("", [number]),
        int,
        bytes,
        lambda number: number < NUMBER,
        lambda number: sorted([number, Msisdn.parse("+12025550100")]),
        lambda number: number.encode(),
        lambda number: type(number)(),
        lambda number: setattr(number, "_e164", "+1"),
        lambda number: number.__delattr__("_e164"),
    ],
)
def test_a_number_leaves_by_no_other_way(leak: object) -> None:
    assert callable(leak)
    with pytest.raises((TypeError, AttributeError)) as refused:
        leak(NUMBER)
    assert "420012345" not in str(refused.value)


def test_a_number_is_equal_only_to_itself() -> None:
    assert NUMBER != E164
    assert Msisdn.parse("+959420012346") != NUMBER
    assert Msisdn.parse("09420012345") == NUMBER
    assert copy.copy(NUMBER) is NUMBER


def test_revealing_needs_a_reason_from_the_list() -> None:
    assert NUMBER.reveal("dial") == E164
    with pytest.raises(ValueError, match="unknown reason"):
        NUMBER.reveal("curiosity")  # type: ignore[arg-type]
