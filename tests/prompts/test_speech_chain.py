import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prompts.audio import speech_level
from prompts.errors import ContentError, SpeechError
from prompts.speech.chain import Chain, build_chain
from prompts.speech.google import Google
from prompts.speech.offline import Offline
from prompts.speech.recorded import Recorded
from prompts.wav import duration


def recording(file: Path, seconds: float = 2.0, rate: int = 44_100) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    at = np.arange(int(seconds * rate)) / rate
    soundfile.write(file, 0.1 * np.sin(2 * np.pi * 300 * at), rate)


def test_a_human_recording_overrides_every_engine(tmp_path: Path) -> None:
    recording(tmp_path / "my" / "audio" / "main.flac")
    chain = build_chain(("recorded", "offline"), tmp_path)
    spoken = chain.speak("မင်္ဂလာပါ", "my", "main")
    assert (spoken.engine, spoken.robot) == ("recorded", False)
    assert duration(spoken.wav) == pytest.approx(2, abs=0.1)
    assert chain.speak("မင်္ဂလာပါ", "my", "other").engine == "offline"
    assert chain.speak("Hello", "en", "main").engine == "offline"
    assert chain.speak("မင်္ဂလာပါ", "my").engine == "offline"


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_recordings_of_every_kind_come_out_as_levelled_telephone_sound(tmp_path: Path, suffix: str) -> None:
    recording(tmp_path / "my" / "audio" / f"menu.main.{suffix}")
    wav = Recorded(tmp_path).sound("menu.main", "my")
    info = soundfile.info(io.BytesIO(wav))
    assert (info.samplerate, info.subtype) == (8000, "ULAW")
    assert speech_level(soundfile.read(io.BytesIO(wav))[0]) == pytest.approx(-19, abs=1)


def test_a_new_recording_is_a_new_version(tmp_path: Path) -> None:
    file = tmp_path / "my" / "audio" / "main.wav"
    recording(file, 1)
    chain = build_chain(("recorded",), tmp_path)
    first = chain.speak("က", "my", "main").version
    recording(file, 1.5)
    assert chain.speak("က", "my", "main").version != first


def test_a_broken_recording_is_named_and_the_next_voice_speaks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "my" / "audio" / "main.wav"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not a sound")
    assert build_chain(("recorded", "offline"), tmp_path).speak("ကာ", "my", "main").robot
    assert "recording_unusable language=my key=main" in caplog.text
    with pytest.raises(ContentError, match=r"main\.wav"):
        build_chain(("recorded",), tmp_path).speak("ကာ", "my", "main")


@pytest.mark.parametrize("key", ["../main", "/etc/passwd", "", "main\0", "Main", "a/b"])
def test_a_key_that_is_no_plain_name_finds_nothing(tmp_path: Path, key: str) -> None:
    recording(tmp_path / "my" / "main.wav")
    assert Recorded(tmp_path).sound(key, "my") is None


def test_when_google_is_away_the_offline_voice_speaks(tmp_path: Path) -> None:
    chain = Chain([Google("http://127.0.0.1:9/", timeout=1), Offline()])
    spoken = chain.speak("မင်္ဂလာပါ", "my")
    assert (spoken.engine, spoken.robot) == ("offline", True)
    assert spoken.version == Offline().version


def test_when_nobody_can_speak_every_reason_is_given() -> None:
    chain = Chain([Google("http://127.0.0.1:9/", timeout=1), Offline()])
    with pytest.raises(SpeechError, match=r"google: .*; offline: "):
        chain.speak("။", "my")
    with pytest.raises(SpeechError, match="no speech engine"):
        Chain([]).speak("က", "my")


def test_the_setting_names_the_engines_in_order(tmp_path: Path) -> None:
    chain = build_chain(("recorded", "google", "offline"), tmp_path)
    assert [engine.name for engine in chain.engines] == ["google", "offline"]
    assert chain.recorded is not None
    with pytest.raises(ValueError, match="amazon"):
        build_chain(("amazon",), tmp_path)
