"""Who is next and why: danger today, wishes, the time that ends, and what happens when somebody is not safe."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from front_door import CALLER, COUNSELOR, Hotline, Provider
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select

from gateway.errors import Refused
from gateway.services import casework, counselors, housekeeping, keypad, priority
from gateway.store import callbacks as rows
from gateway.store.callbacks import Callback, CallbackState, callbacks
from gateway.store.counselors import accounts
from gateway.store.legs import legs

OTHER, THIRD = "+959790001002", "+959790001003"
MAN = "+66812345021"


def there(hotline: Hotline, **wanted: Any) -> Callback:
    with hotline.runtime.database.read() as session:
        found = [rows.get(session, row.id) for row in session.execute(select(callbacks.c.id))]
    (one,) = [row for row in found if row and all(getattr(row, name) == is_ for name, is_ in wanted.items())]
    return one


def queue(hotline: Hotline) -> list[str]:
    """The wishes in the order in which they are to be served."""
    with hotline.runtime.database.read() as session:
        return [row.wish for row in rows.waiting(session, most=50)]


def reasons(hotline: Hotline, row: Callback) -> tuple[str, ...]:
    return priority.why(row, hotline.clock.now())


# --- what is added after it is registered ---------------------------------------------------------------


def test_it_is_registered_before_anything_more_is_asked_and_hanging_up_there_changes_nothing(
    hotline: Hotline,
) -> None:
    line = hotline.dial()
    heard = line.press("115")
    assert heard.said == ["registered", "handle", "registered_end", "more"]
    assert heard.verbs == [*["Play"] * 4, "Gather"], (
        "her two words are said to their end, whatever is pressed"
    )
    line.hang_up()
    row = there(hotline)
    assert (row.danger, row.woman) == (None, False)


def test_in_danger_today_stands_before_everybody_whose_time_ends_earlier(hotline: Hotline) -> None:
    hotline.at(9)
    hotline.dial(OTHER).press("115")  # within the hour
    assert hotline.dial(CALLER).press("1251").said == ["kept_danger", "more"]  # in the morning, until eleven
    assert queue(hotline) == ["morning", "hour"]
    assert reasons(hotline, there(hotline, wish="morning")) == ("danger",)
    assert reasons(hotline, there(hotline, wish="hour")) == ("ends_first",)


def test_danger_is_rung_for_at_once_but_never_before_her_own_window(hotline: Hotline) -> None:
    hotline.counselor()
    hotline.at_console()
    hotline.at(9)
    hotline.dial().press("1451")  # in the evening, and in danger today
    hotline.later(minutes=5)
    hotline.work()
    assert not hotline.provider.calls
    hotline.at(17, 4)
    hotline.at_console()
    hotline.work()
    assert [call.form["To"] for call in hotline.provider.calls] == [COUNSELOR]


def test_asking_again_does_not_take_back_that_she_is_in_danger(hotline: Hotline) -> None:
    hotline.dial().press("1151")
    hotline.text("11")
    assert there(hotline).danger is not None


def test_what_is_added_belongs_to_the_request_of_this_call_alone(hotline: Hotline) -> None:
    """A case without a number has a handle too; and a request that ended meanwhile is nobody's."""
    assert hotline.dial().press("1652").said == ["kept_woman", "more"]
    assert there(hotline, contact=None).woman
    line = hotline.dial(OTHER)
    line.press("115")
    hotline.text("10", OTHER)
    assert line.press("1").said == ["not_saved", "main"], "what is over takes nothing more, and that is said"
    assert there(hotline, state=CallbackState.WITHDRAWN).danger is None


# --- whom it suits ----------------------------------------------------------------------------------------


def three_on_shift(hotline: Hotline) -> None:
    hotline.counselor("woman", COUNSELOR)
    hotline.counselor("man", MAN)
    counselors.describe(hotline.runtime, "woman", speaks=("my",), woman=True, by=None)
    counselors.describe(hotline.runtime, "man", speaks=("my", "en"), woman=False, by=None)
    for alias in ("woman", "man"):
        hotline.at_console(alias)


def rung(hotline: Hotline) -> set[str]:
    return {call.form["To"] for call in hotline.provider.calls}


@pytest.fixture
def roomy(template: Path, tmp_path: Path, provider: Provider) -> Any:
    made = Hotline(template, tmp_path / "roomy", provider, HOTLINE_CALLS_AT_ONCE="8")
    yield made
    made.runtime.database.close()


def test_who_wishes_a_woman_has_women_rung_until_near_the_end_of_her_time(roomy: Hotline) -> None:
    three_on_shift(roomy)
    roomy.dial().press("1152")
    roomy.later(minutes=2)
    roomy.work()
    assert rung(roomy) == {COUNSELOR}
    for call in roomy.provider.calls:
        roomy.not_answered(call)
    roomy.later(minutes=30)
    for alias in ("woman", "man"):
        roomy.at_console(alias)
    housekeeping.expire(roomy.runtime)
    roomy.work()
    assert rung(roomy) == {COUNSELOR, MAN}, "anybody is better than nobody"


def test_a_language_that_a_counselor_does_not_speak_is_not_rung_for(roomy: Hotline) -> None:
    three_on_shift(roomy)
    line = roomy.dial()
    line.press("52")  # English
    line.press("115")
    assert there(roomy).language == "en"
    roomy.later(minutes=2)
    roomy.work()
    assert rung(roomy) == {MAN}


def test_the_keypad_offers_what_suits(roomy: Hotline) -> None:
    three_on_shift(roomy)
    roomy.dial(CALLER).press("1152")
    roomy.later(minutes=5)
    roomy.dial(OTHER).press("115")
    wished = there(roomy, woman=True)
    now = roomy.clock.now()
    with roomy.runtime.database.read() as session:
        people = {one.alias: one for one in counselors.everyone(roomy.runtime)}
        offered = {alias: keypad.next_case(session, roomy.runtime, one, now) for alias, one in people.items()}
    assert offered["woman"] is not None
    assert offered["woman"].id == wished.id
    assert offered["man"] is not None
    assert offered["man"].id != wished.id


# --- before it dies --------------------------------------------------------------------------------------


def test_a_request_that_is_about_to_die_is_shown_to_coordinators_and_rung_for(hotline: Hotline) -> None:
    hotline.counselor()
    hotline.at(7, 30)
    hotline.dial().press("125")  # in the morning: somebody looks, nobody is rung
    hotline.at(10, 40)
    housekeeping.expire(hotline.runtime)
    hotline.at_console()
    hotline.work()
    assert not hotline.provider.calls
    hotline.at(10, 46)
    housekeeping.expire(hotline.runtime)
    housekeeping.expire(hotline.runtime)
    row = there(hotline)
    assert reasons(hotline, row)[:2] == ("escalated", "ends_soon")
    hotline.later(minutes=3)
    hotline.work()
    assert rung(hotline) == {COUNSELOR}
    with hotline.runtime.database.read() as session:
        whys = [move.why for move in rows.history(session, row.id)]
    assert whys.count("escalated") == 1


# --- not safe -------------------------------------------------------------------------------------------


def talking(hotline: Hotline) -> tuple[str, str, Any, Any]:
    helper = hotline.counselor()
    hotline.dial().press("115")
    row = there(hotline)
    casework.claim(hotline.runtime, row.id, helper.id)
    casework.call(hotline.runtime, row.id, helper.id)
    hotline.work()
    counselor = hotline.pick_up(hotline.provider.calls[-1])
    counselor.press("11")
    hotline.work()
    caller = hotline.pick_up(hotline.provider.calls[-1])
    caller.press("5")
    return row.id, helper.id, counselor, caller


def test_a_counselor_who_is_not_safe_ends_every_call_and_the_case_is_the_others(hotline: Hotline) -> None:
    case, helper, *lines = talking(hotline)
    casework.i_am_not_safe(hotline.runtime, case, helper)
    hotline.work()
    assert {call.status for call in hotline.provider.calls} == {"completed"}
    for line in lines:
        line.hang_up()
    row = there(hotline)
    assert (row.state, row.claimed_by, row.flagged, row.reached) == (CallbackState.WAITING, None, True, 0)
    assert not hotline.one(select(accounts.c.on_shift)).on_shift
    assert row.not_before > hotline.clock.now() + timedelta(minutes=4), "not at this very moment"
    other = hotline.counselor("other", MAN)
    casework.claim(hotline.runtime, case, other.id)
    with pytest.raises(Refused, match="not_yet"):
        casework.call(hotline.runtime, case, other.id)
    hotline.later(minutes=5)
    assert "flagged" in reasons(hotline, there(hotline))
    casework.call(hotline.runtime, case, other.id)
    hotline.work()
    assert hotline.provider.calls[-1].form["To"] == MAN


def test_where_too_little_of_her_time_is_left_a_coordinator_decides(hotline: Hotline) -> None:
    case, helper, _, _ = talking(hotline)
    hotline.later(minutes=43)
    casework.i_am_not_safe(hotline.runtime, case, helper)
    assert there(hotline).state is CallbackState.UNCERTAIN


def test_nobody_else_can_end_somebodys_case_so(hotline: Hotline) -> None:
    case, helper, _, _ = talking(hotline)
    other = hotline.counselor("other", MAN)
    casework.i_am_not_safe(hotline.runtime, case, other.id)
    hotline.work()
    row = there(hotline)
    assert (row.state, row.claimed_by) == (CallbackState.TALKING, helper)
    assert "completed" not in {call.status for call in hotline.provider.calls}, "both talk on"


# --- the line drops ---------------------------------------------------------------------------------------


def test_a_line_that_dropped_is_tried_once_more_with_the_same_gate(hotline: Hotline) -> None:
    case, helper, counselor, caller = talking(hotline)
    for again in (True, False):
        caller.leave_room()
        caller.hang_up()
        counselor.leave_room()
        counselor.hang_up()
        if not again:
            break
        casework.call(hotline.runtime, case, helper)
        hotline.work()
        counselor = hotline.pick_up(hotline.provider.calls[-1])
        counselor.press("11")
        hotline.work()
        caller = hotline.pick_up(hotline.provider.calls[-1])
        assert caller.heard.said == ["gate"]
        assert caller.press("5").room
    with pytest.raises(Refused, match="redialled"):
        casework.call(hotline.runtime, case, helper)
    casework.record_outcome(hotline.runtime, case, helper, outcome="done")
    assert there(hotline).state is CallbackState.DONE
    assert len(hotline.rows(select(legs).where(legs.c.kind == "callback"))) == 2


def test_it_is_not_tried_again_after_her_time(hotline: Hotline) -> None:
    case, helper, counselor, caller = talking(hotline)
    hotline.later(minutes=45)
    for line in (caller, counselor):
        line.leave_room()
        line.hang_up()
    with pytest.raises(Refused, match="expired"):
        casework.call(hotline.runtime, case, helper)


def test_on_a_keypad_five_tries_the_dropped_line_once_more(hotline: Hotline) -> None:
    helper = hotline.counselor()
    codes = keypad.fresh_sheet(hotline.runtime, helper)
    hotline.dial().press("115")
    ring_us(hotline)
    line = hotline.pick_up(hotline.provider.calls[-1])
    line.post(line.heard.action or "", Digits=codes[0])
    line.press("11")
    hotline.work()
    caller = hotline.pick_up(hotline.provider.calls[-1])
    caller.press("5")
    caller.leave_room()
    caller.hang_up()
    assert line.leave_room().said == ["keypad_outcome", "keypad_dropped"]
    assert line.press("5").room
    hotline.work()
    again = hotline.pick_up(hotline.provider.calls[-1])
    assert again.heard.said == ["gate"]
    assert again.press("5").room == line.heard.room
    again.leave_room()
    again.hang_up()
    assert line.leave_room().said == ["keypad_outcome"], "once"
    assert line.press("1").said == ["keypad_thanks"]
    assert there(hotline).state is CallbackState.DONE


def ring_us(hotline: Hotline) -> None:
    form = {
        "From": COUNSELOR,
        "To": hotline.settings.counselor_numbers[0].reveal("demo"),
        "Direction": "inbound",
    }
    assert hotline.voice("/twilio/voice", {**form, "CallSid": "CA" + secrets.token_hex(16)}).verbs == [
        "Reject"
    ]
    hotline.work()


# --- the order itself -------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(1, 1440), st.booleans()), min_size=2, max_size=20),
)
def test_nobody_overtakes_who_is_in_danger_or_whose_time_ends_first(asks: list[tuple[int, bool]]) -> None:
    now = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
    ranked = sorted(
        asks,
        key=lambda one: priority.rank(
            expires=now + timedelta(minutes=one[0]), danger=now if one[1] else None
        ),
    )
    danger = [minutes for minutes, in_danger in ranked if in_danger]
    others = [minutes for minutes, in_danger in ranked if not in_danger]
    assert [minutes for minutes, _ in ranked] == danger + others
    assert danger == sorted(danger)
    assert others == sorted(others)


def test_a_line_that_could_not_be_ended_rings_nobody_and_joins_no_room(hotline: Hotline) -> None:
    """The counselor is not safe, the carrier does not hang up, and somebody presses 1 on that phone."""
    helper = hotline.counselor()
    hotline.dial().press("115")
    row = there(hotline)
    casework.claim(hotline.runtime, row.id, helper.id)
    casework.call(hotline.runtime, row.id, helper.id)
    hotline.work()
    counselor = hotline.pick_up(hotline.provider.calls[-1])
    counselor.press("1")
    casework.i_am_not_safe(hotline.runtime, row.id, helper.id)
    heard = counselor.press("1")
    assert heard.room is None
    assert heard.ends
    hotline.work()
    assert CALLER not in rung(hotline)


def test_however_many_wait_the_order_is_read_from_an_index_and_never_sorted(hotline: Hotline) -> None:
    helper, now = hotline.counselor(), hotline.clock.now()
    hotline.dial().press("115")
    asked: list[tuple[str, Any]] = []
    note = lambda _c, _u, statement, values, _x, _m: asked.append((statement, values))  # noqa: E731 - for removal
    engine = hotline.runtime.database.engine
    with hotline.runtime.database.write() as session:
        event.listen(engine, "before_cursor_execute", note)
        rows.waiting(session, most=50)
        rows.due(session, now, person=helper, last_chance=now)
        rows.dying(session, before=now + timedelta(hours=1), now=now, most=50)
        rows.open_of(session, "nobody")
        rows.ringing_at(session, "nobody")
        rows.all_of(session, "nobody")
        rows.claim(session, "nothing", account=helper.id, now=now, lease_until=now)
        event.remove(engine, "before_cursor_execute", note)
        plans = [
            row[-1]
            for statement, values in asked
            for row in session.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, values)
        ]
    about = [plan for plan in plans if "callbacks" in plan]
    assert len(about) >= 7
    assert not [plan for plan in about if "USING INDEX" not in plan and "COVERING INDEX" not in plan]
    assert not [plan for plan in plans if "TEMP B-TREE" in plan and "ORDER BY" in plan]
