import io
import itertools
import multiprocessing
import os
import threading
import time

import numpy as np
import pytest
import soundfile
from speech_measures import formants, icu_words, pitch, stretch

from prompts.audio import speech_level
from prompts.errors import SpeechError
from prompts.library import Library
from prompts.speech import burmese, phonemes
from prompts.speech.offline import Offline, _library, _whole
from prompts.speech.phonemes import CHECKED, ONSETS, RHYMES
from prompts.speech.phrases import phrases
from prompts.speech.sounds import BREATHED, OPEN_RHYMES, PALATALS
from prompts.speech.sounds import CLOSED_RHYMES as CLOSED
from prompts.speech.sounds import ONSETS as LETTERS
from prompts.wav import duration

SENTENCE = "ဖုန်းခေါ်ပါတယ်။ ကျေးဇူးတင်ပါတယ်၊ နောက်မှ ပြန်ခေါ်ပါမည်။"


@pytest.fixture(scope="module")
def voice() -> Offline:
    return Offline()


def heard(wav: bytes) -> np.ndarray:
    samples, rate = soundfile.read(io.BytesIO(wav))
    assert rate == 8000
    return samples


def alike(one: bytes, other: bytes) -> bool:
    """The same sound but for the phase eSpeak carries from call to call: it never gives the same bytes twice."""
    return (
        abs(duration(one) - duration(other)) < 0.03
        and abs(speech_level(heard(one)) - speech_level(heard(other))) < 1
    )


def said(mnemonics: str) -> tuple[np.ndarray, int]:
    library = _library()
    return library.say(f"[[{mnemonics}]]", "my").astype(float) / 32768, library.rate


def vowel(phoneme: str, at: float) -> list[float]:
    """F1 and F2 in Hz at a fraction of the syllable: the median of seven renderings, as no two are alike."""
    renderings = [said(f"l|{phoneme}") for _ in range(7)]
    found = [formants(stretch(samples, rate, at), rate)[:2] for samples, rate in renderings]
    return [float(value) for value in np.median(found, axis=0)]


@pytest.mark.parametrize(
    ("language", "text"), [("my", SENTENCE), ("en", "Press one to ask somebody to ring you."), ("my", "၁၅၀")]
)
def test_speech_is_audible_telephone_sound_on_an_even_level(voice: Offline, language: str, text: str) -> None:
    wav = voice.speak(text, language)
    info = soundfile.info(io.BytesIO(wav))
    assert (info.samplerate, info.channels, info.subtype) == (8000, 1, "ULAW")
    assert speech_level(heard(wav)) == pytest.approx(-19, abs=1)


def test_the_voice_says_that_it_is_a_robot_and_which_one(voice: Offline) -> None:
    assert voice.robot
    assert voice.name == "offline"
    assert voice.version == f"espeak-ng-1.52.0+my{phonemes.REVISION}"


def test_the_same_text_sounds_the_same_again(voice: Offline) -> None:
    first = voice.speak(SENTENCE, "my")
    voice.speak("Hello.", "en")
    assert alike(voice.speak(SENTENCE, "my"), first)


def test_every_onset_and_rhyme_the_reading_can_give_has_phonemes() -> None:
    spoken = {*LETTERS.values(), *PALATALS.values(), *BREATHED.values(), "ʃ", "ð"}
    assert spoken <= set(ONSETS)
    assert {rhyme for rhyme, _ in OPEN_RHYMES.values()} <= set(RHYMES)
    assert set(CLOSED.values()) <= {*RHYMES, *CHECKED}
    used = [name for three in RHYMES.values() for name in three] + list(CHECKED.values())
    assert sorted(used) == [f"a{number:02}" for number in range(1, 51)]


# Second column: the measured range in which the vowel must lie, F1 then F2, in Hz (middle of the syllable).
@pytest.mark.parametrize(
    ("rhyme", "first", "second"),
    [
        ("a", (750, 950), (1100, 1300)),
        ("i", (280, 360), (1900, 2300)),
        ("u", (320, 420), (750, 1000)),
        ("e", (400, 560), (1800, 2150)),
        ("ɛ", (480, 620), (1750, 2050)),
        ("ɔ", (520, 680), (830, 1000)),
        ("o", (420, 500), (750, 900)),
        ("aɴ", (680, 800), (1500, 1700)),
        ("ɪɴ", (420, 500), (2100, 2350)),
        ("ʊɴ", (450, 620), (780, 1100)),
    ],
)
def test_each_simple_vowel_sounds_where_it_should_in_every_tone(
    rhyme: str, first: tuple[int, int], second: tuple[int, int]
) -> None:
    for name, tone in zip(RHYMES[rhyme], "312", strict=True):
        found = vowel(name + tone, 0.62)
        assert first[0] <= found[0] <= first[1], (name, found[:2])
        assert second[0] <= found[1] <= second[1], (name, found[:2])


@pytest.mark.parametrize(
    ("phoneme", "formant", "moves"),
    [("a311", 1, 1), ("a341", 1, -1), ("a421", 0, -1), ("a451", 0, -1), ("a273", 1, 1), ("a263", 1, -1)],
    ids=["aɪɴ", "aʊɴ", "eɪɴ", "oʊɴ", "aɪʔ", "aʊʔ"],
)
def test_each_double_vowel_glides_the_right_way(phoneme: str, formant: int, moves: int) -> None:
    early, late = (vowel(phoneme, at)[formant] for at in (0.55, 0.85))
    assert (late - early) * moves > 30


def test_the_high_tone_is_higher_than_the_low_one_and_the_creaky_one_is_shorter() -> None:
    (low, rate), (high, _), (creaky, _) = said("l|a221"), said("l|a242"), said("l|a233")
    assert pitch(stretch(high, rate, 0.7, 0.04), rate) > pitch(stretch(low, rate, 0.7, 0.04), rate) + 8
    assert len(creaky) < 0.85 * len(high)


def test_a_checked_syllable_closes_before_the_next_one() -> None:
    samples, rate = said("l|a383|?||l|a021")
    frames = samples[: len(samples) // 110 * 110].reshape(-1, 110)
    loudness = 10 * np.log10((frames**2).mean(axis=1) + 1e-12)
    quiet = [sum(1 for _ in run) for silent, run in itertools.groupby(loudness < -60) if silent]
    assert max(quiet) * 110 / rate > 0.03


def test_nothing_is_cut_however_long_the_text_grows(voice: Offline) -> None:
    words = [word for word, _ in icu_words("udhr") if len(word) > 8]
    for count in (4, 16, 64, 160):
        for separator in (" ", "", "၊ "):
            text = separator.join(words[:count])
            syllables = len(burmese.read(text.replace("၊", " ")).syllables)
            pauses = 0.22 * (count - 1) if "၊" in separator else 0
            assert 0.15 < (duration(voice.speak(text, "my")) - pauses) / syllables < 0.32, (count, separator)


@pytest.mark.parametrize("key", ["main", "kept_midday", "opt_in", "counselor_choices"])
def test_no_phrase_loses_a_stretch_in_its_middle(key: str) -> None:
    for phrase in phrases(Library.load().voice("my", key).text):
        for words in phonemes.calls(burmese.read(phrase.text).groups):
            alone = sum(_library().say(phonemes.written([word]), "my").size for word in words)
            assert sum(sound.size for sound in _whole(words)) > 0.65 * alone, phrase.text


def test_a_long_english_text_is_not_cut_either(voice: Offline) -> None:
    one = duration(voice.speak("please call again tomorrow morning", "en"))
    assert duration(voice.speak("please call again tomorrow morning " * 60, "en")) > 60 * 0.75 * one


def test_marks_make_pauses_of_their_own_length(voice: Offline) -> None:
    plain, comma, stop = (duration(voice.speak(f"နေပါ{mark}လာပါ", "my")) for mark in (" ", "၊ ", "။ "))
    assert plain + 0.1 < comma < stop - 0.1


def test_latin_words_in_burmese_and_burmese_words_in_english_keep_their_language(voice: Offline) -> None:
    assert (
        duration(voice.speak("Facebook Messenger နဲ့ ပို့ပါ", "my")) > duration(voice.speak("နဲ့ ပို့ပါ", "my")) + 0.6
    )
    assert duration(voice.speak("Say မင်္ဂလာပါ to her", "en")) > duration(voice.speak("Say to her", "en")) + 0.4


@pytest.mark.parametrize("text", ["", "  ", "။။", "\0", "\ud800", "\u202e", "🙂"])
def test_a_text_without_anything_to_say_is_refused_not_silent(voice: Offline, text: str) -> None:
    with pytest.raises(SpeechError):
        voice.speak(text, "my")


def test_another_language_is_refused(voice: Offline) -> None:
    with pytest.raises(SpeechError):
        voice.speak("bonjour", "fr")


def test_text_cannot_smuggle_phonemes_in(voice: Offline) -> None:
    assert (
        duration(voice.speak("ok [[" + "l|a02||" * 300 + "]]", "en")) > 30
    )  # read out, not sung in one word


def test_what_is_left_out_is_counted_in_the_log_and_never_quoted(
    voice: Offline, caplog: pytest.LogCaptureFixture
) -> None:
    voice.speak("ပို့ပါ 漢字", "my")
    assert "speech_left_out pieces=1" in caplog.text
    assert "漢" not in caplog.text


def test_threads_may_speak_at_once(voice: Offline) -> None:
    texts = [SENTENCE, "၁၅၀", "Hello there.", "မင်္ဂလာပါ"]
    languages = ["my", "my", "en", "my"]
    alone = [voice.speak(text, language) for text, language in zip(texts, languages, strict=True)]
    together: list[bytes | None] = [None] * 24

    def work(at: int) -> None:
        together[at] = voice.speak(texts[at % 4], languages[at % 4])

    threads = [threading.Thread(target=work, args=(at,)) for at in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(alike(heard_now, expected) for heard_now, expected in zip(together, alone * 6, strict=True))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_pool_of_processes_may_speak(voice: Offline, method: str) -> None:
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert all(
            alike(sound, voice.speak(SENTENCE, "my"))
            for sound in pool.starmap(voice.speak, [(SENTENCE, "my")] * 4)
        )


def test_a_job_forked_while_another_thread_speaks_can_still_speak(voice: Offline) -> None:
    stop = threading.Event()

    def talk() -> None:
        while not stop.is_set():
            voice.speak(SENTENCE, "my")

    talking = threading.Thread(target=talk)
    talking.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                os._exit(0 if voice.speak(SENTENCE, "my") else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        talking.join()


def test_a_prompt_costs_little_more_than_what_espeak_itself_needs_for_it(voice: Offline) -> None:
    burmese_prompt = SENTENCE + "အကူအညီ လိုပါက တစ်ကို နှိပ်ပါ။ သတင်းအချက်အလက် အတွက် နှစ်ကို နှိပ်ပါ။"
    english_prompt = (
        "To ask somebody to ring you, press one. For information, press two. To listen, press three."
    )
    bare, spoken = [], []
    for _ in range(5):
        started = time.process_time()
        _library().say(english_prompt, "en")
        floor = time.process_time()
        voice.speak(burmese_prompt, "my")
        voice.speak(english_prompt, "en")
        bare.append(floor - started)
        spoken.append(time.process_time() - floor)
    assert min(spoken) < 15 * min(bare)
