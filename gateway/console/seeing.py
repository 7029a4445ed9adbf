"""What is not heard but seen: the map of the menus, and what somebody who searches a handset finds."""

from dataclasses import dataclass

from flask import Response, flash, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gateway.console import flow_words, words
from gateway.console.frame import page
from gateway.console.gates import go, me
from gateway.runtime import Runtime
from gateway.services import counselors, previewing
from ivr.burmese.segments import count
from prompts import map as menu_map
from prompts import preview
from prompts.library import Display
from prompts.preview import Call, Handset

# A phone that is not what its owner chose, or chose nothing: how the texts travel, and what shows them.
CROSSED: tuple[tuple[Display, Display], ...] = (
    ("zawgyi", "unicode"), ("unicode", "zawgyi"), ("unicode", "latin"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text as a phone shows it; `parts` is what it costs."""

    mine: bool
    text: str
    at: str
    parts: int


@dataclass(frozen=True, slots=True)
class Screen:
    """The thread of one phone: `sent` is how the answers travel, `phone` what the phone shows."""

    sent: Display
    phone: Display
    bubbles: list[Bubble]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list of calls."""

    way: str
    line: str
    at: str


@dataclass(frozen=True, slots=True)
class Flow:
    """All that one flow leaves: the threads on phones that show it as sent, and on others; calls are the same."""

    name: str
    screens: list[Screen]
    crossed: list[Screen]
    calls: list[Entry]


@dataclass(frozen=True)
class Seeing:
    runtime: Runtime

    def map(self) -> ResponseReturnValue:
        language = self._language()
        drawn = menu_map.svg(self.runtime.library, language, reading=words.reading())
        return page(
            "map",
            tongues=self.runtime.library.languages,
            language=language,
            drawn=Markup(drawn),  # noqa: S704 - the drawing escapes every wording itself
        )

    def picture(self) -> ResponseReturnValue:
        drawn = menu_map.svg(self.runtime.library, self._language(), reading=words.reading())
        return Response(drawn, mimetype="image/svg+xml")

    def preview(self) -> ResponseReturnValue:
        language = self._language()
        sign_off = previewing.standing(self.runtime)
        return page(
            "preview",
            flow_words=flow_words,
            tongues=self.runtime.library.languages,
            language=language,
            flows=[self._flow(name, language) for name in preview.FLOWS],
            sign_off=sign_off,
            names={one.id: one.alias for one in counselors.everyone(self.runtime)},
        )

    def fit(self) -> ResponseReturnValue:
        previewing.sign_off(self.runtime, request.form.get("seen", ""), account=me().id)
        flash("looked")
        return go("preview")

    def _language(self) -> str:
        given = request.args.get("language", "")
        languages = self.runtime.library.languages
        return given if given in languages else languages[0]

    def _flow(self, name: str, language: str) -> Flow:
        displays = preview.displays(language)
        left = {
            display: preview.played(self.runtime.library, name, display, language) for display in displays
        }
        return Flow(
            name=name,
            screens=[_screen(left[display], display, display) for display in displays],
            crossed=[
                _screen(left[sent], sent, phone)
                for sent, phone in CROSSED
                if sent in left and phone in left and left[sent].messages
            ],
            calls=[_entry(call) for call in left[displays[0]].calls],
        )


def _screen(left: Handset, sent: Display, phone: Display) -> Screen:
    return Screen(
        sent,
        phone,
        [
            Bubble(one.mine, preview.as_seen(one.text, phone), _time(one.minute), count(one.text).parts)
            for one in left.messages
        ],
    )


def _entry(call: Call) -> Entry:
    return Entry(call.way, call.line, _time(call.minute))


def _time(minute: int) -> str:
    return f"{minute // 60 % 24}:{minute % 60:02}"
