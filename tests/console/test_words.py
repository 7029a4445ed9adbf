"""Every key that a service may give has its words, and every word its Burmese."""

import ast
import io
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import gateway.console
import gateway.services
from gateway.carriers.base import LegStatus
from gateway.console import audit_words, programme_words, words
from gateway.services import attending, campaigns, casework, programmes
from gateway.settings import FEATURES
from gateway.store.callbacks import CallbackState
from gateway.store.campaigns import CampaignState
from gateway.store.counselors import Role
from gateway.store.outreach import VersionState
from prompts.library import Review

CONSOLE = Path(gateway.console.__file__).parent
SERVICES = Path(gateway.services.__file__).parent
CATALOGUE = CONSOLE / "translations" / "my" / "LC_MESSAGES" / "messages"
PLACEHOLDER = re.compile(r"%\(\w+\)s")
ELSEWHERE = {"stale"}  # refused to carriers, never to a person
GATE = {"later", "wrong_person", "other_key", "silent", "machine", "left"}  # ivr.actions.GateRefused
DECLINED = {"later", "give_back", "refuse", "silent", "left"}  # ivr.actions.CounselorDeclined


def texts_of(file: Path, *names: str) -> set[str]:
    """The literal first arguments of calls to these names."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in names
            and node.args
        ):
            parts = [part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)]
            found |= {part for part in parts if isinstance(part, str)}
    return found


def test_every_reason_of_a_service_has_a_sentence() -> None:
    reasons = set()
    for file in SERVICES.glob("*.py"):
        reasons |= texts_of(file, "Refused", "Withheld")
    assert {"taken", "own_text", "quiet_hours"} <= reasons
    reasons |= {"expired", "not_yet", "forgotten"}  # callbacks.withheld
    reasons |= {"refused_before", "enough_today"}  # attending.why_not
    reasons |= {"empty", "too_long", "no_topic", "no_language", "not_valid"}  # programmes.write
    reasons |= {"expired", "withdrawn", "wrong_person"}  # overview.withheld
    reasons |= {"empty_entry", "long_entry", "too_far"}  # directory.keep
    assert sorted(reasons - words.REASONS.keys() - ELSEWHERE) == []


def test_every_move_of_a_request_has_its_words() -> None:
    source = (SERVICES / "callbacks.py").read_text()
    why = set(re.findall(r'why="(\w+)"', source)) - {"outcome"}  # told by the state it came to
    why |= {f"counselor_{one}" for one in DECLINED}
    why |= {f"caller_{one}" for one in (GATE | {LegStatus.BUSY, LegStatus.NO_ANSWER, LegStatus.FAILED})}
    assert sorted(why - words.MOVES.keys()) == []


def test_every_deed_that_is_noted_has_its_words() -> None:
    noted: set[str] = set()
    for file in SERVICES.glob("*.py"):
        noted |= set(re.findall(r'\bwhat="(\w+)"', file.read_text()))
    noted |= {f"{feature}_{on}" for feature in words.FEATURES for on in ("on", "off")}
    noted |= {f"outcome_{one}" for one in casework.OUTCOMES}
    noted |= {f"campaign_{one}" for one in ("paused", "running", "canceled")}
    assert {"claim", "locked", "account_captured"} <= noted
    assert sorted(noted - audit_words.DEEDS.keys()) == []


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        (words.STATES, set(CallbackState)),
        (programme_words.VERSION_STATES, set(VersionState)),
        (programme_words.CAMPAIGN_STATES, set(CampaignState)),
        (programme_words.RECIPIENT_STATES, {"pending", "calling"} | set(campaigns.OUTCOMES)),
        (words.TOPICS, set(programmes.TOPICS)),
        (words.ROLES, set(Role)),
        (words.REVIEWS, set(Review)),
        (words.OUTCOMES, casework.OUTCOMES.keys() - {"not_safe"}),
        (words.DONE, casework.OUTCOMES.keys()),
        (
            words.OFF,
            {attending.PLAN_OVER, attending.CLOSED, attending.LONG, attending.MISSED, attending.SHEET},
        ),
    ],
)
def test_every_state_has_its_words(table: dict[str, object], keys: set[str]) -> None:
    assert sorted(keys - table.keys()) == []


def test_only_known_features_have_a_switch() -> None:
    assert set(words.FEATURES) <= set(FEATURES)


def said_in_the_console() -> set[str]:
    kinds = [("**.py", "python"), ("templates/**.html", "jinja2")]
    found = extract_from_dir(CONSOLE, kinds, keywords={"_": None, "_l": None}, options_map={})
    return {message for _, _, message, _, _ in found}


def test_every_sentence_is_said_in_burmese_with_the_same_blanks() -> None:
    with CATALOGUE.with_suffix(".po").open("rb") as file:
        catalogue = read_po(file)
    burmese = {message.id: message.string for message in catalogue if message.id}
    said = said_in_the_console()
    assert sorted(said - {one for one, text in burmese.items() if text}) == []
    assert sorted(burmese.keys() - said) == []
    for english, text in burmese.items():
        assert sorted(PLACEHOLDER.findall(english)) == sorted(PLACEHOLDER.findall(text)), english


def test_the_compiled_catalogue_is_of_this_one() -> None:
    with CATALOGUE.with_suffix(".po").open("rb") as file:
        catalogue = read_po(file)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    assert compiled.getvalue() == CATALOGUE.with_suffix(".mo").read_bytes()
