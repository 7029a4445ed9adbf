import hashlib
import io
import itertools
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.audio import read, speech_level, telephone_wav, to_mp3
from prompts.errors import AudioError, ContentError
from prompts.shelf import Shelf
from prompts.wav import RATE, cut, duration, join


def tone(seconds: float, level: float = 0.3, hertz: float = 220.0, rate: int = 22_050) -> np.ndarray:
    """Something like a voice: harmonics with a slow swell."""
    at = np.arange(int(seconds * rate)) / rate
    voice = sum(np.sin(2 * np.pi * hertz * n * at) / n for n in range(1, 8))
    return (level * voice / 2 * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * at))).astype(np.float32)


def silence(seconds: float, rate: int = 22_050) -> np.ndarray:
    return np.zeros(int(seconds * rate), np.float32)


def heard(wav: bytes) -> np.ndarray:
    """Samples as another program reads them: libsndfile, not our own reader."""
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
    assert rate == RATE
    return samples


def test_a_telephone_wav_is_8_khz_mono_mu_law_with_a_fact_chunk() -> None:
    wav = telephone_wav(tone(1.0), 22_050)
    info = soundfile.info(io.BytesIO(wav))
    assert (info.samplerate, info.channels, info.format, info.subtype) == (8000, 1, "WAV", "ULAW")
    assert wav[12:16] == b"fmt "
    assert wav[20:22] == b"\x07\x00"
    fact = wav.index(b"fact")
    assert int.from_bytes(wav[fact + 8 : fact + 12], "little") == info.frames == len(heard(wav))
    assert int.from_bytes(wav[4:8], "little") == len(wav) - 8


@pytest.mark.parametrize("level", [0.005, 0.02, 0.2, 0.9, 3.0])
@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100])
def test_quiet_and_loud_sounds_end_on_the_same_level(level: float, rate: int) -> None:
    samples = heard(telephone_wav(tone(2.0, level, rate=rate), rate))
    assert speech_level(samples) == pytest.approx(-19, abs=0.5)
    assert np.abs(samples).max() < 0.95


def test_the_level_is_the_plain_rms_where_all_is_speech() -> None:
    samples = heard(telephone_wav(tone(2.0), 22_050))[400:-400]
    assert 20 * np.log10(np.sqrt(np.mean(samples**2))) == pytest.approx(-19, abs=0.6)


def test_pauses_do_not_count_for_the_level() -> None:
    spoken = np.concatenate([tone(1.0), silence(3.0), tone(1.0)])
    assert speech_level(heard(telephone_wav(spoken, 22_050))) == pytest.approx(-19, abs=0.5)


def test_peaks_far_over_the_speech_are_bent_not_clipped() -> None:
    spiky = tone(2.0, 0.05)
    spiky[::2205] = 1.0
    samples = heard(telephone_wav(spiky, 22_050))
    assert np.abs(samples).max() < 0.95
    assert speech_level(samples) == pytest.approx(-19, abs=1)


def test_silence_at_both_ends_is_trimmed_and_the_ends_fade() -> None:
    samples = heard(telephone_wav(np.concatenate([silence(1.5), tone(1.0), silence(2.0)]), 22_050))
    assert len(samples) / RATE == pytest.approx(1.06, abs=0.05)
    assert abs(samples[0]) < 0.01
    assert abs(samples[-1]) < 0.01


def test_a_click_before_and_after_the_speech_is_trimmed() -> None:
    click = np.full(60, 0.9, np.float32)
    spoken = np.concatenate([click, silence(0.4), tone(1.0), silence(0.4), click])
    assert duration(telephone_wav(spoken, 22_050)) == pytest.approx(1.06, abs=0.05)


def test_a_steady_offset_is_taken_out() -> None:
    assert abs(heard(telephone_wav(tone(1.0) + 0.2, 22_050)).mean()) < 0.01


def test_two_channels_and_whole_numbers_give_the_same_sound() -> None:
    mono = tone(1.0)
    whole = (mono * 32767).astype(np.int16)
    expected = heard(telephone_wav(mono, 22_050))
    assert np.allclose(heard(telephone_wav(np.stack([mono, mono], axis=1), 22_050)), expected, atol=0.05)
    assert np.allclose(heard(telephone_wav(whole, 22_050)), expected, atol=0.05)


@pytest.mark.parametrize(
    "nothing", [np.zeros(0, np.float32), np.zeros(8000, np.float32), np.full(8000, 1e-5, np.float32)]
)
def test_a_sound_with_nothing_in_it_is_refused(nothing: np.ndarray) -> None:
    with pytest.raises(AudioError):
        telephone_wav(nothing, 8000)


def test_cutting_and_joining_keeps_every_sample() -> None:
    wav = telephone_wav(tone(40.0), 22_050)
    pieces = cut(wav, 15)
    assert [round(duration(piece), 1) for piece in pieces] == [15.0, 15.0, 10.0]
    assert np.array_equal(heard(join(pieces, 0)), heard(wav))
    assert join(pieces, 0) == wav


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 3.0), st.floats(0.01, 1.0))
def test_cutting_at_any_length_keeps_every_sample(length: float, seconds: float) -> None:
    wav = telephone_wav(tone(length), 22_050)
    assert join(cut(wav, seconds), 0) == wav


def test_joining_puts_true_silence_between() -> None:
    one = telephone_wav(tone(1.0), 22_050)
    both = join([one, one], 0.5)
    assert duration(both) == pytest.approx(2 * duration(one) + 0.5)
    middle = heard(both)[len(heard(one)) + 10 : len(heard(one)) + 3990]
    assert not middle.any()


def test_other_sounds_are_not_joined_by_mistake() -> None:
    other = io.BytesIO()
    soundfile.write(other, tone(0.2), 22_050, format="WAV", subtype="PCM_16")
    for wrong in (other.getvalue(), b"", b"RIFF", b"ID3 something", telephone_wav(tone(0.2), 22_050)[:40]):
        with pytest.raises(AudioError):
            duration(wrong)


def test_mp3_for_the_console_is_small_and_holds_the_whole_sound() -> None:
    wav = telephone_wav(tone(10.0), 22_050)
    mp3 = to_mp3(wav)
    samples, rate = read(mp3)
    assert rate == RATE
    assert len(samples) / rate == pytest.approx(duration(wav), abs=0.2)
    assert len(mp3) / duration(wav) < 2600


@pytest.mark.parametrize("rubbish", [b"", b"hello", b"RIFF\0\0\0\0WAVE", b"\xff\xfb" + bytes(64)])
def test_bytes_that_are_no_sound_are_refused_in_our_own_words(rubbish: bytes) -> None:
    with pytest.raises(ContentError):
        telephone_wav(*read(rubbish))


def test_the_shelf_names_a_sound_by_its_bytes(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "sounds")
    name = shelf.put(b"sound")
    assert name == hashlib.sha256(b"sound").hexdigest()
    assert shelf.path(name).read_bytes() == b"sound"
    assert shelf.put(b"sound") == name
    assert shelf.put(b"sound", "mp3") == name
    assert sorted(path.name for path in (tmp_path / "sounds").iterdir()) == [f"{name}.mp3", f"{name}.wav"]


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n", "0" * 64]
)
def test_the_shelf_gives_nothing_for_what_is_not_on_it(tmp_path: Path, name: str) -> None:
    assert Shelf(tmp_path).path(name) is None


def test_a_suffix_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="suffix"):
        Shelf(tmp_path).put(b"x", "/../x")


def test_many_writers_of_one_sound_never_show_half_of_it(tmp_path: Path) -> None:
    shelf, data = Shelf(tmp_path), bytes(range(256)) * 4000
    name = hashlib.sha256(data).hexdigest()
    seen: list[int] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            if path := shelf.path(name):
                seen.append(path.stat().st_size)

    reader = threading.Thread(target=look)
    writers = [threading.Thread(target=shelf.put, args=(data,)) for _ in range(4)]
    for thread in (reader, *writers):
        thread.start()
    for writer in writers:
        writer.join()
    stop.set()
    reader.join()
    assert set(seen) <= {len(data)}
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.wav"]


def test_speech_is_made_ready_for_the_telephone_in_a_few_walks_over_it() -> None:
    sound = tone(5.0)
    telephone_wav(sound, 22_050)
    spent, sorting = [], []
    for _ in itertools.repeat(None, 5):
        started = time.process_time()
        telephone_wav(sound, 22_050)
        made = time.process_time()
        np.sort(sound)
        spent.append(made - started)
        sorting.append(time.process_time() - made)
    assert min(spent) < 20 * min(sorting)
