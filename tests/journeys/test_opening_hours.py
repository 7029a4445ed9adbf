"""The hours in which somebody is there: any instant, any zone, holidays; and what callers are told of it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from front_door import YANGON, Hotline
from hypothesis import example, given, settings
from hypothesis import strategies as st
from trials import trials

from gateway.errors import Refused
from gateway.services import opening
from gateway.store.hours import ALL_DAY, ALWAYS, Holiday, Hours, Span

BERLIN = ZoneInfo("Europe/Berlin")  # changes its clock twice a year
ZONES = st.sampled_from((YANGON, BERLIN, ZoneInfo("America/Sao_Paulo"), ZoneInfo("Asia/Kathmandu")))
TIMES = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 45)))
SPANS = st.none() | st.just(ALL_DAY) | st.builds(Span, TIMES, TIMES)
NOW = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - as asked
NINE_TO_FIVE = Span(time(9), time(17))


@st.composite
def plans(draw: st.DrawFn) -> tuple[Hours, datetime, ZoneInfo]:
    """Hours with some holidays around a moment."""
    zone, now = draw(ZONES), draw(NOW)
    today = now.astimezone(zone).date()
    days = draw(st.dictionaries(st.integers(-2, 9), SPANS, max_size=4))
    holidays = {
        today + timedelta(days=ahead): Holiday(today + timedelta(days=ahead), "a day", span)
        for ahead, span in days.items()
    }
    week = tuple(draw(st.lists(SPANS, min_size=7, max_size=7)))
    return Hours(week, holidays), now, zone


def changes_clock(zone: ZoneInfo, moment: datetime) -> bool:
    """Whether the zone's clock is changed within two days of that moment."""
    near = {(moment + timedelta(days=days)).astimezone(zone).utcoffset() for days in (-2, -1, 0, 1, 2)}
    return len(near) > 1


def on_the_wall(hours: Hours, moment: datetime, zone: ZoneInfo) -> bool:
    """The same by another way: what a sign at the door would say, where the clock is not changed."""
    local = moment.astimezone(zone)
    today, before = hours.on(local.date()), hours.on(local.date() - timedelta(days=1))
    now = local.time()
    if today and today.opens <= now and (now < today.closes or today.closes <= today.opens):
        return True
    return before is not None and before.closes <= before.opens and now < before.closes


@settings(max_examples=trials(60, 5000), deadline=None)
@given(plans())
def test_it_is_open_when_the_sign_at_the_door_says_so(plan: tuple[Hours, datetime, ZoneInfo]) -> None:
    hours, now, zone = plan
    if not changes_clock(zone, now):
        assert opening.is_open(hours, now, zone) == on_the_wall(hours, now, zone)


@settings(max_examples=trials(60, 5000), deadline=None)
@given(plans())
def test_when_it_opens_next_it_is_open_and_not_before(plan: tuple[Hours, datetime, ZoneInfo]) -> None:
    hours, now, zone = plan
    opens = opening.opens_next(hours, now, zone)
    if opens is None:
        assert not any(opening.is_open(hours, now + timedelta(hours=ahead), zone) for ahead in range(24 * 9))
        return
    assert opens >= now
    assert opening.is_open(hours, opens, zone)
    quarter = timedelta(minutes=15)
    steps = int(min((opens - now) / quarter, 4 * 24 * 3))
    assert not any(opening.is_open(hours, opens - quarter * step, zone) for step in range(1, steps))
    if opens > now:
        assert not opening.is_open(hours, opens - timedelta(milliseconds=1), zone)


@settings(max_examples=trials(60, 5000), deadline=None)
@given(plans())
@example(  # of two that overlap the longer one, days ago
    (
        Hours((Span(time(1), time(0, 30)), Span(time(0), time(0, 15)), *[None] * 5), {}),
        datetime(2026, 1, 1, tzinfo=UTC),
        YANGON,
    )
)
def test_since_it_closed_it_was_closed_and_just_before_it_was_open(
    plan: tuple[Hours, datetime, ZoneInfo],
) -> None:
    hours, now, zone = plan
    closed = opening.closed_last(hours, now, zone)
    if opening.is_open(hours, now, zone):
        assert closed is None
    elif closed is not None:
        assert closed <= now
        assert opening.is_open(hours, closed - timedelta(milliseconds=1), zone)
        assert not opening.is_open(hours, closed, zone)
        assert not opening.is_open(hours, closed + (now - closed) / 2, zone)


@pytest.mark.parametrize(
    ("day", "moment", "is_open"),
    [
        # In March the clock goes from 2 to 3: half past two is never shown, and counts as if it had not been changed.
        (date(2026, 3, 29), datetime(2026, 3, 29, 0, 59, tzinfo=UTC), False),
        (date(2026, 3, 29), datetime(2026, 3, 29, 1, 30, tzinfo=UTC), True),
        (date(2026, 3, 29), datetime(2026, 3, 29, 1, 59, tzinfo=UTC), True),
        (date(2026, 3, 29), datetime(2026, 3, 29, 2, 0, tzinfo=UTC), False),
        # In October it shows half past two twice: the first counts.
        (date(2026, 10, 25), datetime(2026, 10, 25, 0, 29, tzinfo=UTC), False),
        (date(2026, 10, 25), datetime(2026, 10, 25, 0, 30, tzinfo=UTC), True),
        (date(2026, 10, 25), datetime(2026, 10, 25, 1, 59, tzinfo=UTC), True),
        (date(2026, 10, 25), datetime(2026, 10, 25, 3, 0, tzinfo=UTC), False),
    ],
)
def test_where_the_clock_is_changed_nobody_is_told_two_things(
    day: date, moment: datetime, is_open: bool
) -> None:
    hours = Hours((None,) * 7, {day: Holiday(day, "a night", Span(time(2, 30), time(4)))})
    assert opening.is_open(hours, moment, BERLIN) is is_open


def test_without_a_word_from_a_coordinator_it_is_always_open(hotline: Hotline) -> None:
    assert opening.kept(hotline.runtime) == ALWAYS
    assert opening.is_open(ALWAYS, hotline.clock.now(), YANGON)


def test_what_is_written_down_is_read_again(hotline: Hotline) -> None:
    week = [NINE_TO_FIVE, None, ALL_DAY, Span(time(18), time(2)), None, NINE_TO_FIVE, ALL_DAY]
    day = hotline.clock.now().astimezone(YANGON).date() + timedelta(days=3)
    opening.set_week(hotline.runtime, week, by="x")
    opening.set_holiday(hotline.runtime, Holiday(day, "သင်္ကြန်", None), by="x")
    opening.set_holiday(hotline.runtime, Holiday(day, "half a day", NINE_TO_FIVE), by="x")
    assert opening.kept(hotline.runtime) == Hours(
        tuple(week), {day: Holiday(day, "half a day", NINE_TO_FIVE)}
    )
    opening.remove_holiday(hotline.runtime, day, by="x")
    assert not opening.kept(hotline.runtime).holidays
    for bad in (Holiday(day, "", None), Holiday(day - timedelta(days=30), "over", None)):
        with pytest.raises(Refused):
            opening.set_holiday(hotline.runtime, bad, by="x")


# --- what callers hear ----------------------------------------------------------------------------------


def hears(hotline: Hotline) -> list[str]:
    line = hotline.dial()
    said = line.press("1").said
    line.hang_up()
    return said


def test_outside_the_hours_she_is_told_so_before_she_chooses_and_when_it_opens_again(
    hotline: Hotline,
) -> None:
    opening.set_week(hotline.runtime, [NINE_TO_FIVE] * 7, by="x")
    hotline.at(6)
    assert hears(hotline) == ["truth", "nobody_for_long", "opens_today", "when"]
    hotline.at(8, 30)
    assert hears(hotline) == ["truth", "nobody_now", "when"], "it opens within the hour"
    hotline.at(12)
    assert hears(hotline) == ["truth", "nobody_now", "when"], "open, and nobody is on shift"
    hotline.at(18)
    assert hears(hotline) == ["truth", "nobody_for_long", "opens_tomorrow", "when"]
    today = hotline.clock.now().astimezone(YANGON).date()
    for ahead in (1, 2):
        opening.set_holiday(hotline.runtime, Holiday(today + timedelta(days=ahead), "holiday", None), by="x")
    assert hears(hotline) == ["truth", "nobody_for_long", "opens_later", "when"]
    opening.set_week(hotline.runtime, [None] * 7, by="x")
    assert hears(hotline) == ["truth", "nobody_for_long", "when"]


def test_whoever_is_there_outside_the_hours_is_there(hotline: Hotline) -> None:
    opening.set_week(hotline.runtime, [None] * 7, by="x")
    hotline.counselor()
    assert hears(hotline) == ["truth", "when"]


def test_a_time_of_day_at_which_nobody_is_there_is_told_and_another_can_be_chosen(hotline: Hotline) -> None:
    opening.set_week(hotline.runtime, [Span(time(12), time(14))] * 7, by="x")
    hotline.at(6)
    line = hotline.dial()
    line.press("1")
    assert line.press("2").said == ["closed_then", "closed_kept", "own_key"]
    line.press("9")
    assert line.press("3").said == ["kept_midday", "own_key"]


def test_a_text_for_a_time_at_which_nobody_is_there_is_answered_with_that(hotline: Hotline) -> None:
    library = hotline.runtime.library
    assert hotline.text("11") == library.sms("my", "asked_nobody", "unicode")
    hotline.counselor()
    assert hotline.text("11") == library.sms("my", "asked_hour", "unicode")
    opening.set_week(hotline.runtime, [Span(time(12), time(14))] * 7, by="x")
    assert hotline.text("12") == library.sms("my", "asked_nobody", "unicode")
    assert hotline.text("13") == library.sms("my", "asked_midday", "unicode")
