"""Making a programme: in several languages, as text or as a person's voice, in versions; and what is no programme."""

import io
import os
import re
from datetime import timedelta

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from front_door import Hotline
from sqlalchemy import func, select

from gateway.cli import main
from gateway.errors import Refused
from gateway.services import programmes, rendering, sending, speech
from gateway.services.programmes import Content, Draft
from gateway.store import outreach as rows
from gateway.store.consents import Way
from gateway.store.counselors import Role
from gateway.store.outreach import VersionState
from gateway.store.sounds import sounds
from ivr.burmese.encodings import unicode_to_zawgyi
from prompts.speech.chain import Chain
from prompts.speech.offline import Offline
from prompts.wav import duration

WATER = "ရေကို ဆူအောင် တည်ပါ။ အဖုံးပါတဲ့ ဘူးထဲ ထည့်ပါ။ လက်ကို ဆပ်ပြာနဲ့ ဆေးပါ။"
TAGS = {"title": "a secret title", "artist": "Daw Somebody", "comment": "16.8661 N 96.1951 E, Hlaing"}


class Counting(Offline):
    """The voice on board, and how often it was asked."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def speak(self, text: str, language: str) -> bytes:
        self.said.append(text)
        return super().speak(text, language)


@pytest.fixture
def engine(hotline: Hotline, monkeypatch: pytest.MonkeyPatch) -> Counting:
    counting = Counting()
    names = tuple(name for name in hotline.settings.speech if name != "recorded")
    monkeypatch.setitem(speech._chains, names, Chain([counting]))
    return counting


@pytest.fixture
def author(hotline: Hotline) -> str:
    return hotline.counselor("author", "+66812345011", Role.COORDINATOR).id


@pytest.fixture
def second(hotline: Hotline) -> str:
    return hotline.counselor("second", "+66812345012").id


def write(hotline: Hotline, author: str, *contents: Content, topic: str = "health") -> list[str]:
    until = hotline.clock.now() + timedelta(days=7)
    made = programmes.write(hotline.runtime, author, Draft("Water", topic, until, contents))
    hotline.work()
    return made


def version_of(hotline: Hotline, version: str) -> rows.Version:
    with hotline.runtime.database.read() as session:
        there = rows.version(session, version)
    assert there
    return there


def approve(hotline: Hotline, version: str, second: str) -> None:
    programmes.approve(hotline.runtime, version, second, version_of(hotline, version).manifest or "")


def voice(
    seconds: float, kind: str = "WAV", *, rate: int = 16_000, channels: int = 1, loud: float = 0.3
) -> bytes:
    at = np.arange(int(min(seconds, 10) * rate)) / rate
    wave = loud * np.sin(2 * np.pi * 300 * at) * (1 + np.sin(2 * np.pi * 3 * at))
    out = io.BytesIO()
    with soundfile.SoundFile(out, "w", rate, channels, format=kind) as file:
        for name, value in TAGS.items():
            setattr(file, name, value)
        for _ in range(max(1, int(seconds // 10))):
            file.write(np.stack([wave] * channels, 1).astype(np.float32))
    return out.getvalue()


def kept(hotline: Hotline) -> tuple[int, int]:
    """How many versions there are, and how many sounds."""
    return (
        hotline.one(select(func.count()).select_from(rows.versions))[0],
        hotline.one(select(func.count()).select_from(sounds))[0],
    )


# --- text -----------------------------------------------------------------------------------------------


def test_one_programme_has_a_text_in_each_language(hotline: Hotline, author: str) -> None:
    burmese, english = write(
        hotline, author, Content("my", WATER), Content("en", "Boil water. Wash your hands.")
    )
    one, other = version_of(hotline, burmese), version_of(hotline, english)
    assert one.programme == other.programme
    assert {one.state, other.state} == {VersionState.READY}
    assert (one.language, other.language) == ("my", "en")
    assert len(one.wave) > 20
    assert set(one.wave) <= set("0123456789")


def test_a_changed_sentence_alone_is_spoken_anew(hotline: Hotline, author: str, engine: Counting) -> None:
    text = "".join(f"နံပါတ် {number} ကို မှတ်ပါ။ " for number in range(1, 40))
    (first,) = write(hotline, author, Content("my", text))
    assert len(engine.said) == 39
    engine.said.clear()
    changed = text.replace("နံပါတ် 7 ကို မှတ်ပါ။", "ဒီတစ်ကြောင်းကတော့ အရင်ကထက် အများကြီး ပိုရှည်တဲ့ စာကြောင်းအသစ် ဖြစ်ပါတယ်။")
    second = programmes.change(
        hotline.runtime, author, version_of(hotline, first).programme, Content("my", changed)
    )
    hotline.work()
    assert len(engine.said) == 1
    one, other = version_of(hotline, first), version_of(hotline, second)
    assert (one.number, other.number) == (1, 2)
    assert one.manifest != other.manifest
    marks = [mark for mark, _ in programmes.differences(one.text, other.text)]
    assert (marks.count("del"), marks.count("ins"), marks.count("")) == (1, 1, 38)


def test_progress_is_kept_and_a_slice_ends_in_time(
    hotline: Hotline, author: str, engine: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "SLICE", -1.0)
    until = hotline.clock.now() + timedelta(days=7)
    (version,) = programmes.write(
        hotline.runtime, author, Draft("W", "health", until, [Content("my", WATER)])
    )
    seen = set()
    original = engine.speak

    def speak(text: str, language: str) -> bytes:
        there = version_of(hotline, version)
        seen.add((there.pieces_done, there.pieces_all))
        return original(text, language)

    monkeypatch.setattr(engine, "speak", speak)
    hotline.work()
    assert seen == {(0, 3), (1, 3), (2, 3)}
    assert version_of(hotline, version).state is VersionState.READY


def test_what_could_not_be_spoken_is_tried_again_when_asked(
    hotline: Hotline, author: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = tuple(name for name in hotline.settings.speech if name != "recorded")
    with monkeypatch.context() as without:
        without.setitem(speech._chains, names, Chain([]))
        version = write(hotline, author, Content("my", WATER))[0]
    assert version_of(hotline, version).state is VersionState.FAILED
    programmes.speak_again(hotline.runtime, version)
    hotline.work()
    made = version_of(hotline, version)
    assert made.state is VersionState.READY
    programmes.speak_again(hotline.runtime, version)
    assert version_of(hotline, version) == made


def test_nothing_of_a_text_is_lost_between_its_pieces() -> None:
    text = (
        "Drink 3.5 litres a day. Really?! Yes\nNo full stop here\nရေသောက်ပါ။ " + "a long one, " * 80 + "end."
    )
    pieces = rendering.pieces_of(text)
    assert re.findall(r"\w", "".join(pieces)) == re.findall(r"\w", text)
    assert max(map(len, pieces)) <= 400
    assert "Drink 3.5 litres a day." in pieces


def test_an_approved_version_takes_the_place_of_the_one_before(
    hotline: Hotline, author: str, second: str
) -> None:
    (first,) = write(hotline, author, Content("my", WATER))
    approve(hotline, first, second)
    programme = version_of(hotline, first).programme
    newer = programmes.change(hotline.runtime, author, programme, Content("my", "ရေ သောက်ပါ။"))
    hotline.work()
    assert version_of(hotline, first).may_be_heard(hotline.clock.now()), "until the new one is approved"
    approve(hotline, newer, second)
    assert version_of(hotline, first).state is VersionState.RETIRED
    call = hotline.dial()
    assert call.press("3").said.count("sound") == len(version_of(hotline, newer).sounds)
    assert call.press("1").said[0] == "listen_nothing"
    with pytest.raises(Refused, match="unchanged"):
        programmes.change(hotline.runtime, author, programme, Content("my", "ရေ သောက်ပါ။ "))


def test_other_sounds_behind_the_same_approval_are_not_heard(
    hotline: Hotline, author: str, second: str
) -> None:
    (version,) = write(hotline, author, Content("my", WATER))
    approve(hotline, version, second)
    with hotline.runtime.database.write() as session:
        rows.change_version(session, version, sounds="f" * 64)
    assert not version_of(hotline, version).may_be_heard(hotline.clock.now())
    assert "listen_nothing" in hotline.dial().press("3").said


def test_what_is_past_its_day_cannot_be_approved(hotline: Hotline, author: str, second: str) -> None:
    (version,) = write(hotline, author, Content("my", WATER))
    hotline.later(days=8)
    with pytest.raises(Refused, match="not_valid"):
        approve(hotline, version, second)


# --- a voice --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "rate", "channels"),
    [("WAV", 48_000, 2), ("MP3", 44_100, 2), ("OGG", 16_000, 1), ("FLAC", 8_000, 1)],
)
def test_a_persons_voice_is_kept_as_the_telephone_carries_it_and_nothing_else(
    hotline: Hotline, author: str, kind: str, rate: int, channels: int
) -> None:
    file = voice(20, kind, rate=rate, channels=channels)
    assert b"Somebody" in file
    assert b"Hlaing" in file or kind == "MP3"
    (version,) = write(hotline, author, Content("my", sound=file))
    there = version_of(hotline, version)
    assert (there.state, there.engine, there.robot) == (VersionState.READY, "recorded", False)
    assert 19 <= there.seconds <= 21
    assert len(there.sounds) == 2
    whole = rendering.whole_mp3(hotline.runtime, there)
    assert whole
    for data in (
        *(speech.wav_file(hotline.runtime, one).read_bytes() for one in there.sounds),
        whole.read_bytes(),
    ):
        assert not any(tag.encode() in data for tag in ("Somebody", "secret", "96.1951", "Hlaing"))
    assert sum(
        duration(speech.wav_file(hotline.runtime, one).read_bytes()) for one in there.sounds
    ) == pytest.approx(20, abs=1)


@pytest.mark.parametrize(
    ("sound", "why"),
    [
        (b"PK\x03\x04 this is a zip and no sound", "no_sound_file"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt nonsense" * 40, "no_sound_file"),
        (voice(0.0), "silent_sound"),
        (voice(2, loud=0.0), "silent_sound"),
        (voice(3 * 3600, "FLAC", rate=8_000), "voice_too_long"),
        (b"RIFF0000WAVE" + b"\0" * 64_000_000, "voice_too_big"),
    ],
    ids=["a zip", "broken", "0 s", "silence", "3 h", "too big"],
)
def test_what_is_no_voice_is_said_and_nothing_of_it_is_kept(
    hotline: Hotline, author: str, sound: bytes, why: str
) -> None:
    before = kept(hotline)
    with pytest.raises(Refused, match=f"^{why}$"):
        write(hotline, author, Content("en", "Boil water."), Content("my", sound=sound))
    assert kept(hotline) == before


# --- what is no text ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" \n ။ ... !", "empty"),
        ("က" * 100_000, "too_long"),
        (unicode_to_zawgyi(WATER), "zawgyi"),
        (WATER + "\n" + unicode_to_zawgyi("ထမင်းမစားခင် လက်ဆေးပါ။ ကလေးကို ရေတိုက်ပါ။"), "zawgyi"),
        (WATER + " ရေကို ဆူအောင် တည်ပါ၊ " + unicode_to_zawgyi("ဖုန်းခေါ်ပါ") + "။", "zawgyi"),  # in one sentence
        (WATER + " " + unicode_to_zawgyi("ဖုန်းခေါ်ပါ") + " ထမင်းမစားခင် လက်ဆေးပါ။", "zawgyi"),
        ("ရေ \x07 သောက်ပါ။", "unreadable_text"),
        ("ရေ \ufffd\ufffd သောက်ပါ။", "unreadable_text"),
        ("ရေ \ue000 သောက်ပါ။", "unreadable_text"),
    ],
)
def test_what_is_no_text_is_said_and_nothing_of_it_is_kept(
    hotline: Hotline, author: str, text: str, why: str
) -> None:
    before = kept(hotline)
    with pytest.raises(Refused, match=f"^{why}$"):
        write(hotline, author, Content("en", "Boil water."), Content("my", text))
    assert kept(hotline) == before


def test_the_command_says_so_too(hotline: Hotline, author: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("HOTLINE_", "TWILIO_"))]:
        monkeypatch.delenv(name)
    create = ["outreach", "create", "--title", "Water", "--topic", "health", "--as", "author"]
    mixed = f"ရေကို ဆူအောင် တည်ပါ၊ {unicode_to_zawgyi('ဖုန်းခေါ်ပါ')}။"
    done = CliRunner().invoke(main, create, input=mixed, env=hotline.environment)
    assert done.exit_code == 1
    assert "Part of this is written in Zawgyi: write it in Unicode" in done.output


# --- one short text -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x" * 161, "text_too_long"),
        ("က" * 71, "text_too_long"),
        ("See www.example.org", "text_link"),
        ("Ring 09790001001", "text_number"),
        ("၁၁၉၉ ကို ခေါ်ပါ", "text_number"),
        ("ကောင်ဆယ်လာနဲ့ ပြောပါ", "text_listed"),
        ("", "text_empty"),
    ],
)
def test_a_text_to_be_sent_is_one_segment_without_a_link_or_a_number(
    hotline: Hotline, author: str, text: str, why: str
) -> None:
    with pytest.raises(Refused, match=f"^{why}$"):
        write(hotline, author, Content("my", text, way=Way.TEXT))


def test_a_text_half_in_zawgyi_is_sent_in_one_encoding(hotline: Hotline, author: str) -> None:
    text = f"ရေကို ဆူအောင် တည်ပါ၊ {unicode_to_zawgyi('လက်ကို ဆပ်ပြာနဲ့ ဆေးပါ')}။"
    whole = "ရေကို ဆူအောင် တည်ပါ၊ လက်ကို ဆပ်ပြာနဲ့ ဆေးပါ။"
    assert sending.as_shown(text, "unicode") == whole
    assert sending.as_shown(text, "zawgyi") == unicode_to_zawgyi(whole)


def test_a_text_to_be_sent_is_approved_by_a_second_person_and_never_heard(
    hotline: Hotline, author: str, second: str
) -> None:
    (version,) = write(hotline, author, Content("my", "ရေကို ဆူအောင် တည်ပါ။", way=Way.TEXT))
    with pytest.raises(Refused, match="own_text"):
        approve(hotline, version, author)
    approve(hotline, version, second)
    assert version_of(hotline, version).may_be_heard(hotline.clock.now())
    assert "listen_nothing" in hotline.dial().press("3").said
