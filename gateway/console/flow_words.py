"""The words of the preview: what a person does in each flow, the kinds of phones, the entries of a list of calls."""

from collections.abc import Mapping
from typing import Final

from gateway.console.words import _l

FLOWS: Final[Mapping[str, str]] = {
    "asked_by_call": _l("Rang, asked to be rung within the hour, was rung and talked"),
    "asked_and_not_reached": _l("Rang, asked to be rung in the morning, and did not pick up then"),
    "missed_call": _l("Let it ring once, was rung back, asked, was rung again and talked"),
    "no_number_kept": _l("Rang from somebody else's phone and asked without a number"),
    "asked_by_text": _l("Asked by text, was rung and talked"),
    "asked_while_nobody_is_there": _l("Asked by text while nobody was there, and was rung later"),
    "withdrawn_by_text": _l("Asked by text, and took it back by text"),
    "withdrawn_by_call": _l("Asked in a call, and took it back in a second call"),
    "stopped": _l("Stopped everything by text"),
    "forgotten": _l("Had everything forgotten by text"),
    "topics": _l("Asked by text what there is to know"),
    "display": _l("Chose by text how the phone shows Burmese"),
    "programmes": _l("Asked in a call for programmes, confirmed in one call, and heard one"),
    "programmes_by_text": _l("Asked by text for programmes, and confirmed in one call"),
    "texts": _l("Asked by text for short texts, and sent the code back"),
    "unknown": _l("Wrote two texts that are no keyword"),
    "thread": _l("Wrote two texts to a counselor; what the counselor answers is not shown here"),
}
PHONES: Final[Mapping[str, str]] = {
    "unicode": _l("A phone with Unicode"),
    "zawgyi": _l("A phone with Zawgyi"),
    "latin": _l("A phone that shows boxes"),
}
CROSSED: Final[Mapping[str, str]] = {
    "zawgyi_unicode": _l("Zawgyi is sent, the phone shows Unicode"),
    "unicode_zawgyi": _l("Unicode is sent, the phone shows Zawgyi"),
    "unicode_latin": _l("Unicode is sent, the phone shows boxes"),
}
WAYS: Final[Mapping[str, str]] = {"out": _l("dialled"), "in": _l("picked up"), "missed": _l("missed")}
LINES: Final[Mapping[str, str]] = {
    "public": _l("the number that was rung or texted"),
    "missed": _l("the missed-call number"),
}
