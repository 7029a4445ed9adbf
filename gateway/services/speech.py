"""Sound for every wording: made once, kept in the database, at hand on every host's shelf."""

import hashlib
import io
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import prompts
from gateway.errors import StoreDown
from gateway.runtime import Runtime
from gateway.store import sounds
from gateway.store.sounds import PromptSound, text_hash
from ivr import actions as act
from prompts.errors import SpeechError
from prompts.library import Library

if TYPE_CHECKING:  # it loads numpy and decoders, and a web process only says where sounds are
    from prompts.speech.chain import Chain, Spoken

CONTENT = Path(prompts.__file__).parent


@dataclass(frozen=True, slots=True)
class Missing:
    """A wording that has no sound, or only a lesser engine's."""

    language: str
    key: str
    text: str


def unspoken(
    there: Collection[tuple[str, str, str]], languages: Sequence[str], library: Library
) -> list[Missing]:
    """What of this library has no sound among those `there`, by (language, key, text hash)."""
    return [
        Missing(language, key, text)
        for language in languages
        for key, text in library.spoken(language).items()
        if (language, key, text_hash(text)) not in there
    ]


def missing(
    runtime: Runtime, languages: Sequence[str], *, library: Library | None = None, engine: str | None = None
) -> list[Missing]:
    """What has no sound of its wording (spoken by `engine`, or a person, where one is asked for)."""
    with runtime.database.read() as session:
        there = {
            (one.language, one.key, one.text_hash)
            for one in sounds.prompts(session)
            if engine is None or one.engine in (engine, "recorded")
        }
    return unspoken(there, languages, library or runtime.library)


def render_prompts(
    runtime: Runtime,
    languages: Sequence[str],
    *,
    engines: Sequence[str],
    only: str | None = None,
    step: Callable[[int, int], None] = lambda _done, _all: None,
    processes: int = 2,
) -> tuple[int, list[Missing]]:
    """Make what is missing with these engines. Return how many were made and which could not be.

    Idempotent; each sound is stored as soon as it is there, so that an interrupted run loses nothing.
    """
    todo = missing(runtime, languages, engine=only)
    failed: list[Missing] = []
    work = partial(_speak, tuple(engines), _shipped(runtime))
    made = 0
    for done, (one, spoken) in enumerate(_in_parallel(work, todo, processes), start=1):
        if spoken is None:
            failed.append(one)
        else:
            made += 1
            _keep(runtime, one, spoken)
        step(done, len(todo))
    return made, failed


def speak(runtime: Runtime, one: Missing, engines: Sequence[str]) -> bool:
    """Make one sound and keep it; False where no engine could."""
    spoken = _speak(tuple(engines), _shipped(runtime), one)
    if spoken is not None:
        _keep(runtime, one, spoken)
    return spoken is not None


def _shipped(runtime: Runtime) -> frozenset[str]:
    """The hashes of the shipped wordings: a shipped recording speaks the shipped wording and no other."""
    return frozenset(runtime.editions.shipped.hashes.values())


def _in_parallel(
    work: Callable[[Missing], "Spoken | None"], todo: Sequence[Missing], processes: int
) -> Iterator[tuple[Missing, "Spoken | None"]]:
    if processes < 2 or len(todo) < 20:
        for one in todo:
            yield one, work(one)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from zip(todo, pool.map(work, todo, chunksize=8), strict=True)


_chains: dict[tuple[str, ...], "Chain"] = {}


def chain_of(engines: Sequence[str]) -> "Chain":
    """The chain of these engines, made once a process."""
    from prompts.speech.chain import build_chain  # noqa: PLC0415 - as above

    names = tuple(engines)
    if names not in _chains:
        _chains[names] = build_chain(names, CONTENT)
    return _chains[names]


def _speak(engines: tuple[str, ...], shipped: frozenset[str], one: Missing) -> "Spoken | None":
    if text_hash(one.text) not in shipped:
        engines = tuple(name for name in engines if name != "recorded")
    try:
        return chain_of(engines).speak(one.text, one.language, one.key)
    except SpeechError:
        return None


def _keep(runtime: Runtime, one: Missing, spoken: "Spoken") -> None:
    name = runtime.shelf.put(spoken.wav)
    prompt = PromptSound(one.language, one.key, text_hash(one.text), name, spoken.engine, spoken.robot)
    with runtime.database.write() as session:
        sounds.keep(session, name, spoken.wav)
        sounds.stand_for(session, prompt)


# --- where sounds are -----------------------------------------------------------------------------------


def wav_file(runtime: Runtime, name: str) -> Path | None:
    """The sound's file on this host's shelf, fetched from the database where it is not there yet."""
    found = sound_file(runtime, name)
    return found if isinstance(found, Path) else None


def sound_file(runtime: Runtime, name: str, suffix: str = "wav") -> Path | io.BytesIO | None:
    """The same, or its small MP3, which is made once: anybody may ask for it as often as they like.

    Where the disk is full its bytes are given instead: nobody hears silence for that.
    """
    path = runtime.shelf.path(name, suffix)
    if path is not None:
        return path
    data = _fetched(runtime, name) if suffix == "wav" else _small(runtime, name)
    if data is None:
        return None
    try:
        runtime.shelf.put(data, suffix, made_of=name)
    except OSError:
        return io.BytesIO(data)
    return runtime.shelf.path(name, suffix)


def _fetched(runtime: Runtime, name: str) -> bytes | None:
    try:
        with runtime.database.read() as session:
            wav = sounds.wav(session, name)
    except StoreDown:
        return None
    return wav if wav is not None and hashlib.sha256(wav).hexdigest() == name else None


def _small(runtime: Runtime, name: str) -> bytes | None:
    from prompts.audio import to_mp3  # noqa: PLC0415 - as above

    wav = sound_file(runtime, name)
    if wav is None:
        return None
    return to_mp3(wav.read_bytes() if isinstance(wav, Path) else wav.getvalue())


def addresses(runtime: Runtime, language: str, sound: act.Sound) -> list[str]:
    """Where a carrier fetches a sound: several addresses for what is made of several."""
    match sound:
        case act.Prompt():
            names = [_prompt(runtime, sound.language or language, sound.key)]
        case act.HandleWords():
            names = [_prompt(runtime, language, f"handle.{word}") for word in sound.handle.split("-")]
        case act.SpokenDigits():
            names = [_prompt(runtime, language, f"digit.{digit}") for digit in sound.digits]
        case act.Recording():
            names = [sound.sound]
    return [f"{runtime.settings.public_url}/audio/{name}.wav" for name in names if name]


def _prompt(runtime: Runtime, language: str, key: str) -> str:
    """The sound of a wording; in the first language where this one has none, for silence is worse."""
    for tried in (language, runtime.library.languages[0]):
        found = runtime.sound(tried, key)
        if found is not None:
            return found.sound
    return ""
