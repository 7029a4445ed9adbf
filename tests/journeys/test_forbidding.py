"""A list of numbers that must not be contacted: read from any file, kept without a number, lifted by nobody's ask."""

import contextlib
import io
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import phonenumbers
import pytest
from front_door import CALLER, Hotline
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from gateway import phone
from gateway.errors import BadNumber, Refused
from gateway.phone import Msisdn
from gateway.services import forbidding
from gateway.store import contacts
from gateway.store.callbacks import callbacks

ROOT = Path(__file__).parents[2]
ONE, TWO, THREE = "+959790003001", "+959790003002", "+959790003003"


def found(data: bytes) -> list[tuple[int, str]]:
    """Each line with its number, here made visible, or why it has none."""
    return [
        (line, one if isinstance(one, str) else one.reveal("demo"))
        for line, one in forbidding.read(io.BytesIO(data))
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("09790003001\n+959790003002\n", [(1, ONE), (2, TWO)]),
        ("09790003001\r\n\r\n09 790 003 002", [(1, ONE), (3, TWO)]),
        ("09790003001\r09790003002\r", [(1, ONE), (2, TWO)]),
        ("၀၉၇၉၀၀၀၃၀၀၁\n", [(1, ONE)]),
        ("# a list\n959790003001\n", [(2, ONE)]),
        ("name,phone,city\nA,09790003001,123456789\n", [(2, ONE)]),
        ('phone;since\n09790003001;2026-11-01\n"09790003002";x\n', [(2, ONE), (3, TWO)]),
        ("Name\tNote\nA\t09790003001\nB\t\n", [(2, ONE), (3, "none")]),
        ("ဖုန်း,အမည်\n၀၉၇၉၀၀၀၃၀၀၁,က\n", [(2, ONE)]),
        ("9.59E+11\n9,59E+11\n", [(1, "rounded"), (2, "rounded")]),
        ("09790003001/09790003002\n", [(1, "two")]),
        ("09790003001, 09790003002\n", [(1, "two")]),
        ("09790003001 or 09790003002\n", [(1, "two")]),
        ("a\nhello\n123\n", [(2, "none"), (3, "none")]),
        ("x" * 5_000 + "\n09790003001\n", [(1, "long"), (2, ONE)]),
        ("1," * 1_000_000 + "\n09790003001\n", [(1, "long"), (2, ONE)]),
        ("", []),
    ],
)  # fmt: skip
def test_what_a_list_may_look_like(text: str, expected: list[tuple[int, str]]) -> None:
    assert found(text.encode()) == expected


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_list_from_a_spreadsheet_is_read_by_its_mark(encoding: str) -> None:
    assert found("phone\n09790003001\n".encode(encoding)) == [(2, ONE)]


def test_a_packed_list_and_one_that_is_no_text_are_refused_whole(hotline: Hotline) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("list.csv", "09790003001\n")
    for data, why in (
        (packed.getvalue(), "list_packed"),
        (b"\x1f\x8b\x08rest", "list_packed"),
        ("09790003001\n".encode("utf-16-le"), "list_not_text"),
    ):
        with pytest.raises(Refused, match=why):
            forbidding.forbid(hotline.runtime, io.BytesIO(data))
    assert not hotline.rows(select(contacts.listed))


@pytest.mark.promise(29)
@given(st.binary(max_size=300))
def test_no_bytes_at_all_break_the_reader(data: bytes) -> None:
    with contextlib.suppress(Refused):
        assert all(line > 0 for line, _ in forbidding.read(io.BytesIO(data)))


_DIGITS = st.text("0123456789", max_size=12)
_SPELLED = st.builds(
    lambda begin, rest, end: begin + rest + end,
    st.sampled_from(["09", "+959", "959", "9", "00959", "+9509", "9509", "+95", "o9", "095", "", "+1", "०9"]),
    _DIGITS,
    st.sampled_from(["", "", "", " ", "\n", "၁", "٣", "x", "-"]),
)


@given(_SPELLED)
def test_the_short_way_reads_as_the_librarys_tables_do(text: str) -> None:
    """The pattern's way and the library's own must agree on whatever looks like a Myanmar mobile."""
    mobile = phone._MYANMAR.fullmatch(text)
    if mobile:
        national = mobile[1]
    elif text.startswith("+959") and text[1:].isascii() and text[1:].isdigit():
        national = text[3:]
    else:
        assert not phone._PLAIN.fullmatch(text)
        return
    parsed = phonenumbers.PhoneNumber(country_code=95, national_number=int(national))
    valid = phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.MOBILE
    expected = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if valid else None
    try:
        read = Msisdn.parse(text).reveal("demo")
    except BadNumber:
        read = None
    assert read == expected


def test_a_number_on_the_list_is_not_rung_whatever_comes_from_it(hotline: Hotline) -> None:
    report = forbidding.forbid(hotline.runtime, io.BytesIO(CALLER.encode()))
    assert (report.numbers, report.changed) == (1, 1)
    call = hotline.dial()
    assert "not_saved" in call.press("115").said or "not_saved" in call.heard.said
    hotline.text("11")
    hotline.work()
    assert not hotline.rows(select(callbacks))
    assert not hotline.provider.calls
    assert "topic_health" in hotline.dial().press("21").said, "she may listen"


def test_what_she_stopped_herself_is_lifted_by_asking_and_the_list_only_by_an_operator(
    hotline: Hotline,
) -> None:
    runtime = hotline.runtime
    index = runtime.vault.index(Msisdn.parse(CALLER))
    hotline.text("99")
    forbidding.forbid(runtime, io.BytesIO(CALLER.encode()))
    again = forbidding.forbid(runtime, io.BytesIO(CALLER.encode()))
    assert again.changed == 0
    lifted = forbidding.forbid(runtime, io.BytesIO(CALLER.encode()), lift=True)
    assert lifted.changed == 1
    with runtime.database.read() as session:
        assert contacts.is_forbidden(session, index), "her own stop stands"
    assert "registered" in hotline.dial().press("115").said


def test_a_list_that_is_cut_short_is_kept_up_to_its_last_batch_and_may_be_given_again(
    hotline: Hotline,
) -> None:
    class Cut(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            if not data:
                raise OSError("the pipe broke")
            return data

    lines = "".join(f"0979{at:07d}\n" for at in range(25_000)).encode()
    with pytest.raises(OSError, match="pipe"):
        forbidding.forbid(hotline.runtime, Cut(lines))
    with hotline.runtime.database.read() as session:
        assert contacts.how_many_listed(session) == 20_000
    report = forbidding.forbid(hotline.runtime, io.BytesIO(lines))
    assert (report.numbers, report.changed) == (25_000, 5_000)


def test_the_command_names_lines_and_never_a_value(hotline: Hotline) -> None:
    given = f"phone,name\n{ONE},A\nhello,B\n9.59E+11,C\n{TWO}/{THREE},D\n"
    hotline.runtime.database.close()
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "contacts", "forbid"],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", **hotline.environment}, input=given, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == "1 numbers read, 1 of them new on the list\n"
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
        "line 3",
        "line 4",
        "line 5",
        "3 lines could not be read",
    ]
    assert "959" not in done.stderr.replace("9.59", "")
    file = hotline.settings.data_dir / "hotline.db"
    with sqlite3.connect(file) as database:
        rows = database.execute("SELECT * FROM do_not_contact").fetchall()
    assert [len(row[0]) for row in rows] == [16]
