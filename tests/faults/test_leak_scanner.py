"""The scanner is tested before it is believed: 19 ways for a number to hide, and four for a text."""

import base64
import gzip
import json
import quopri
import secrets
import zlib
from pathlib import Path
from urllib.parse import quote

import pytest
from leak_scanner import Scanner

from ivr.burmese.encodings import unicode_to_zawgyi

NUMBER = "+959790112233"
OTHER = "+959780445566"
LOCAL = "09790112233"
BURMESE = "".join(chr(0x1040 + int(d)) for d in LOCAL)
SHAN = "".join(chr(0x1090 + int(d)) for d in LOCAL)
FULL_WIDTH = "".join(chr(0xFF10 + int(d)) for d in LOCAL)

PLANTED: dict[str, bytes] = {
    "plain": NUMBER.encode(),
    "without +": NUMBER[1:].encode(),
    "local": LOCAL.encode(),
    "spaced": b"+95 9 790 112 233",
    "dotted": b"09.790.11.22.33",
    "reversed": NUMBER[::-1].encode(),
    "zlib": zlib.compress(f"number={NUMBER}".encode()),
    "gzip": gzip.compress(NUMBER.encode()),
    "base64": base64.b64encode(f"From: {NUMBER}".encode()),
    "base64url": base64.urlsafe_b64encode(f"??>>{NUMBER}".encode()),
    "hex": NUMBER.encode().hex().encode(),
    "UTF-16LE": NUMBER.encode("utf-16-le"),
    "UTF-16BE": NUMBER.encode("utf-16-be"),
    "Burmese digits": BURMESE.encode(),
    "Shan digits": SHAN.encode(),
    "full-width digits": FULL_WIDTH.encode(),
    "JSON escapes": json.dumps({"from": BURMESE}).encode(),
    "URL-quoted Burmese digits": quote(BURMESE).encode(),
    "quoted-printable": quopri.encodestring(BURMESE.encode()),
}
DEEPER: dict[str, bytes] = {
    "JSON in gzip in base64": base64.b64encode(gzip.compress(json.dumps([FULL_WIDTH]).encode())),
    "hex in a URL": quote(LOCAL.encode().hex()).encode(),
    "entities": "".join(f"&#x{ord(c):x};" for c in LOCAL).encode(),
    "every digit escaped": "".join(f"\\u00{ord(c):02x}" for c in LOCAL).encode(),
    "Burmese digits in UTF-16LE": BURMESE.encode("utf-16-le"),
    "repr of bytes": repr(BURMESE.encode()).encode(),
}
WORDS = "မနက်ဖြန် ဈေးမှာ တွေ့ကြမယ်"


def hidden(planted: bytes) -> bytes:
    """Among what else may lie in a file, on both sides."""
    return secrets.token_bytes(1001) + b"\n" + planted + b"\n" + secrets.token_bytes(500)


def test_nineteen_forms_are_planted() -> None:
    assert len(PLANTED) == 19


@pytest.mark.promise(1)
@pytest.mark.parametrize("form", [*PLANTED, *DEEPER])
def test_each_form_is_found_whatever_lies_around_it(form: str, tmp_path: Path) -> None:
    planted = (PLANTED | DEEPER)[form]
    file = tmp_path / "deep" / "file.bin"
    file.parent.mkdir()
    for _ in range(5):
        file.write_bytes(hidden(planted))
        assert [found.which for found in Scanner([OTHER, NUMBER]).folder(tmp_path)] == [2]


def test_a_name_of_a_file_is_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / f"call-{NUMBER[1:]}.wav").touch()
    assert len(Scanner([NUMBER]).folder(tmp_path)) == 1


def test_what_stood_there_before_is_left_out_and_everything_else_is_found(tmp_path: Path) -> None:
    then, now = tmp_path / "then", tmp_path / "now"
    for folder in (then, now):
        folder.mkdir()
    noise = bytearray(secrets.token_bytes(20 * 4_096))
    noise[5_000:5_013] = NUMBER.encode()
    (then / "rows.db").write_bytes(noise)
    (now / "rows.db").write_bytes(noise)
    assert Scanner([NUMBER]).folder(now, before=then) == []
    noise[8 * 4_096 - 6 : 8 * 4_096 + 7] = OTHER.encode()
    (now / "rows.db").write_bytes(noise + NUMBER.encode())
    (now / "new").write_bytes(OTHER.encode())
    found = Scanner([NUMBER, OTHER]).folder(now, before=then)
    assert sorted((Path(one.place).name, one.which) for one in found) == [
        ("new", 2), ("rows.db", 1), ("rows.db", 2),
    ]  # fmt: skip


@pytest.mark.promise(2)
@pytest.mark.parametrize("text", [WORDS, unicode_to_zawgyi(WORDS), "meet me at the old bridge"])
@pytest.mark.parametrize("how", ["plain", "utf-16-le", "zlib", "base64", "json", "percent", "spaced"])
def test_a_text_is_found(text: str, how: str) -> None:
    planted = {
        "plain": text.encode(),
        "utf-16-le": text.encode("utf-16-le"),
        "zlib": zlib.compress(text.encode()),
        "base64": base64.b64encode(text.encode()),
        "json": json.dumps(text).encode(),
        "percent": quote(text).encode(),
        "spaced": text.replace(" ", "\n  ").upper().encode(),
    }[how]
    assert Scanner(texts=["something else", text]).data(hidden(planted), "here")[0].which == 2


def test_what_is_found_is_not_shown(tmp_path: Path) -> None:
    assert NUMBER[-8:] not in repr(Scanner([NUMBER]).data(NUMBER.encode(), "here"))


def test_noise_holds_nothing() -> None:
    scanner = Scanner([f"+95979{n:07d}" for n in range(50)])
    assert scanner.data(secrets.token_bytes(500_000), "noise") == []
