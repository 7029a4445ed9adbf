"""One wording changed in its file, how two packs differ, and one pack's changes brought into another."""

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ivr.burmese.segments import syllables
from prompts.errors import ContentError
from prompts.library import Review, Wording
from prompts.packs import Files

KINDS = ("voice", "sms", "digit")
TEXTS = "texts.toml"
_CONTEXT = 2  # unchanged lines shown around a changed one


class EditError(ContentError):
    """A wording that cannot be changed by itself, because of how its file is written: edit the whole file."""


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """Where a wording stands: `[kind.key]` in `<language>/texts.toml`."""

    language: str
    kind: str
    key: str

    @property
    def file(self) -> str:
        return f"{self.language}/{TEXTS}"


@dataclass(frozen=True, slots=True)
class Change:
    """A wording that two packs do not share; None where one of them does not have it."""

    spot: Spot
    before: Wording | None
    after: Wording | None


# --- reading ------------------------------------------------------------------------------------------


def wordings(files: Files) -> dict[Spot, Wording]:
    """Every wording of the texts files, as far as they can be read: a draft may be broken anywhere."""
    found: dict[Spot, Wording] = {}
    for file in files:
        language, _, name = file.partition("/")
        if name == TEXTS:
            tables = _tables(files, file) or {}
            for kind in KINDS:
                group = tables.get(kind, {})
                for key, given in group.items() if isinstance(group, Mapping) else ():
                    if isinstance(given, Mapping):
                        found[Spot(language, kind, key)] = _wording(given)
    return found


def _tables(files: Files, file: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(files[file].decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None


def _wording(given: Mapping[str, Any]) -> Wording:
    text = str(given.get("text", "")).strip()
    review = str(given.get("review", ""))
    return Wording(
        text=text,
        review=Review(review) if review in set(Review) else Review.DRAFT,
        latin=str(given.get("latin", "")).strip(),
        sample=str(given.get("sample", "")),
    )


# --- changing -----------------------------------------------------------------------------------------


def with_wording(files: Files, spot: Spot, wording: Wording) -> dict[str, bytes]:
    """The files with this wording at `spot`; comments and everything else stay as they are.

    Raises EditError where the file cannot be read, or does not hold the wording in a table of its own.
    """
    tables = _tables(files, spot.file) if spot.file in files else None
    if tables is None or not isinstance(tables.get(spot.kind), dict) or spot.key not in tables[spot.kind]:
        raise EditError(f"{spot.file} holds no {spot.kind}.{spot.key} that can be read")
    fields = _fields(spot, wording)
    lines = files[spot.file].decode().splitlines()
    head = f"[{spot.kind}.{spot.key}]"
    at = next((number for number, line in enumerate(lines, start=1) if line.strip() == head), len(lines))
    end = next((n for n in range(at, len(lines)) if not re.match(r"\s*\w+\s*=", lines[n])), len(lines))
    lines[at:end] = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    changed = {**files, spot.file: ("\n".join(lines) + "\n").encode()}
    tables[spot.kind][spot.key] = fields
    if _tables(changed, spot.file) != tables:
        raise EditError(f"{spot.kind}.{spot.key} is written in a form that only its whole file can change")
    return changed


def _fields(spot: Spot, wording: Wording) -> dict[str, str]:
    fields = {"text": wording.text}
    if (
        spot.kind == "sms"
        and wording.latin
        and not (wording.text.isascii() and wording.latin == wording.text)
    ):
        fields["latin"] = wording.latin
    if wording.sample:
        fields["sample"] = wording.sample
    return fields | {"review": wording.review.value}


# --- comparing ----------------------------------------------------------------------------------------


def changes(before: Files, after: Files) -> list[Change]:
    """The wordings that differ, in the order of their files."""
    old, new = wordings(before), wordings(after)
    return [
        Change(spot, old.get(spot), new.get(spot))
        for spot in dict.fromkeys((*new, *old))
        if old.get(spot) != new.get(spot)
    ]


def line_changes(before: Files, after: Files) -> dict[str, list[str]]:
    """By file, the changed lines of what is not wordings: `+`, `-` or a space, then the line."""
    found = {}
    for file in sorted({*before, *after}):
        if file.endswith(f"/{TEXTS}") and _tables(after, file) is not None and file in before:
            continue
        old, new = (files.get(file, b"").decode(errors="replace").splitlines() for files in (before, after))
        lines = [
            line
            for line in difflib.unified_diff(old, new, n=_CONTEXT, lineterm="")
            if not line.startswith(("---", "+++"))
        ]
        if lines:
            found[file] = lines
    return found


def pieces(before: str, after: str) -> list[tuple[str, str]]:
    """The two texts as runs of `same`, `gone` and `new`; Burmese is compared by syllables, the rest by words."""
    old, new = _parts(before), _parts(after)
    found: list[tuple[str, str]] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(("same", "".join(old[a:b])))
        else:
            found += [(name, "".join(run)) for name, run in (("gone", old[a:b]), ("new", new[c:d])) if run]
    return found


def _parts(text: str) -> Sequence[str]:
    return list(_cut(text))


def _cut(text: str) -> Iterator[str]:
    for part in re.split(r"(\s+)", text):
        if part.isascii():
            yield part
        else:
            yield from syllables(part)


# --- a newer pack -------------------------------------------------------------------------------------


def merged(base: Files, ours: Files, theirs: Files) -> dict[str, bytes]:
    """`theirs`, a newer pack than `base`, with what was changed in `ours` since `base`.

    A wording changed here stays as it is here, unless the newer pack no longer has it. Another file that
    changed on both sides is taken from `theirs`, which its programs need; comparing shows what that undoes.
    """
    result = {
        file: ours[file]
        if file in ours and base.get(file) == data and not file.endswith(f"/{TEXTS}")
        else data
        for file, data in theirs.items()
    }
    newer = wordings(theirs)
    for change in changes(base, ours):
        if change.after is not None and change.spot in newer:
            kept = replace(change.after, sample=newer[change.spot].sample)
            try:
                result = with_wording(result, change.spot, kept)
            except EditError:
                continue  # the newer file writes it in another form: comparing shows it
    return result
