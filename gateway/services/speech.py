"""Sound for every wording: made once, kept in the database, at hand on every host's shelf."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import prompts
from gateway.errors import StoreDown
from gateway.runtime import Runtime
from gateway.store import sounds
from gateway.store.sounds import PromptSound
from ivr import actions as act
from prompts.errors import SpeechError
from prompts.speech.chain import Chain, Spoken, build_chain

CONTENT = Path(prompts.__file__).parent


@dataclass(frozen=True, slots=True)
class Missing:
    """A wording that has no sound, or one of another wording or a lesser engine."""

    language: str
    key: str
    text: str


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def missing(runtime: Runtime, languages: Sequence[str], *, engine: str | None = None) -> list[Missing]:
    """What has no sound of its present wording (spoken by `engine`, where one is asked for)."""
    with runtime.database.read() as session:
        there = {(one.language, one.key): one for one in sounds.prompts(session)}
    found = []
    for language in languages:
        for key, text in runtime.library.spoken(language).items():
            one = there.get((language, key))
            if one is None or one.text_hash != text_hash(text) or (engine and one.engine != engine):
                found.append(Missing(language, key, text))
    return found


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
    work = partial(_speak, tuple(engines))
    made = 0
    for done, (one, spoken) in enumerate(_in_parallel(work, todo, processes), start=1):
        if spoken is None:
            failed.append(one)
        else:
            made += 1
            _keep(runtime, one, spoken)
        step(done, len(todo))
    return made, failed


def _in_parallel(
    work: Callable[[Missing], Spoken | None], todo: Sequence[Missing], processes: int
) -> Iterator[tuple[Missing, Spoken | None]]:
    if processes < 2 or len(todo) < 20:
        for one in todo:
            yield one, work(one)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from zip(todo, pool.map(work, todo, chunksize=8), strict=True)


_chains: dict[tuple[str, ...], Chain] = {}


def chain_of(engines: Sequence[str]) -> Chain:
    """The chain of these engines, made once a process."""
    names = tuple(engines)
    if names not in _chains:
        _chains[names] = build_chain(names, CONTENT)
    return _chains[names]


def _speak(engines: tuple[str, ...], one: Missing) -> Spoken | None:
    try:
        return chain_of(engines).speak(one.text, one.language, one.key)
    except SpeechError:
        return None


def _keep(runtime: Runtime, one: Missing, spoken: Spoken) -> None:
    name = runtime.shelf.put(spoken.wav)
    prompt = PromptSound(one.language, one.key, text_hash(one.text), name, spoken.engine, spoken.robot)
    with runtime.database.write() as session:
        sounds.keep(session, name, spoken.wav)
        sounds.stand_for(session, prompt)


# --- where sounds are -----------------------------------------------------------------------------------


def wav_file(runtime: Runtime, name: str) -> Path | None:
    """The sound's file on this host's shelf, fetched from the database where it is not there yet."""
    path = runtime.shelf.path(name)
    if path is not None:
        return path
    try:
        with runtime.database.read() as session:
            wav = sounds.wav(session, name)
    except StoreDown:
        return None
    if wav is None:
        return None
    runtime.shelf.put(wav)
    return runtime.shelf.path(name)


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
        found = runtime.voices.sound(tried, key)
        if found is not None:
            return found.sound
    return ""
