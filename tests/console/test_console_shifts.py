"""Shifts, hours, pauses, refusing and a day's limit, as people see them."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from console.browser import Asked, Browser, Person

from gateway.runtime import Runtime
from gateway.services import attending, casework, opening, pool
from gateway.services.counselors import known
from gateway.store import callbacks as rows
from gateway.store.callbacks import CallbackState
from gateway.store.counselors import Role
from gateway.store.hours import ALL_DAY

YANGON = ZoneInfo("Asia/Yangon")


def today(runtime: Runtime) -> date:
    return runtime.clock.now().astimezone(YANGON).date()


@pytest.fixture
def lead(person: Person) -> Browser:
    return person("lead", Role.COORDINATOR)


def on_shift(mya: Browser) -> Browser:
    mya.get("/queue")
    mya.post("/shift", on="1")
    return mya


# --- shifts ---------------------------------------------------------------------------------------------


def test_a_coordinator_plans_and_the_counselor_sees_it(
    runtime: Runtime, person: Person, lead: Browser
) -> None:
    mya = person("mya")
    day = today(runtime) + timedelta(days=1)
    lead.get("/shifts")
    page = lead.post("/shifts/plan", alias="mya", day=day.isoformat(), begins="08:00", ends="12:00")
    assert "Planned." in page.text
    assert "08:00–12:00 · mya" in page.text
    own = mya.get("/shifts").text
    assert "08:00–12:00" in own
    assert "The plan" not in own
    runtime.clock.skip_to(runtime.clock.now() + timedelta(days=1))
    attending.tick(runtime)
    assert known(runtime, "mya").on_shift


def test_a_shift_is_taken_out_of_the_plan_and_a_week_repeated(
    runtime: Runtime, person: Person, lead: Browser
) -> None:
    person("mya")
    day = today(runtime) + timedelta(days=1)
    monday = day - timedelta(days=day.weekday())
    lead.get("/shifts")
    lead.post("/shifts/plan", alias="mya", day=day.isoformat(), begins="08:00", ends="12:00")
    page = lead.post("/shifts/repeat", week=monday.isoformat())
    assert "planned in the same way" in page.text
    assert "08:00–12:00 · mya" in page.text, "the next week is shown"
    found = [one for one in page.text.split('"') if one.endswith("/remove")]
    page = lead.post(found[0].removeprefix("/console"), week=(monday + timedelta(days=7)).isoformat())
    assert "Nothing is planned in this week." in page.text
    assert "08:00–12:00 · mya" in lead.get(f"/shifts?week={monday}").text


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"day": "", "begins": "08:00", "ends": "09:00"}, "A day, and a time"),
        ({"day": "2020-01-01", "begins": "08:00", "ends": "09:00"}, "over already"),
        ({"day": "+1", "begins": "08:00", "ends": "22:00"}, "longer than a shift may be"),
        ({"day": "+1", "begins": "25:99", "ends": "x"}, "A day, and a time"),
    ],
)
def test_what_cannot_be_planned_is_told_why(
    runtime: Runtime, person: Person, lead: Browser, form: dict[str, str], reason: str
) -> None:
    person("mya")
    day = form["day"]
    if day.startswith("+"):
        form = form | {"day": (today(runtime) + timedelta(days=int(day))).isoformat()}
    lead.get("/shifts")
    page = lead.post("/shifts/plan", alias="mya", **form)
    assert page.status_code == 409
    assert reason in page.text


def test_only_coordinators_plan_and_set_hours(person: Person) -> None:
    mya = person("mya")
    mya.get("/shifts")
    for path in (
        "/shifts/plan",
        "/shifts/repeat",
        "/shifts/cap",
        "/hours",
        "/hours/days",
        "/shifts/x/remove",
    ):
        assert mya.post(path).status_code == 403


def test_a_pause_is_shown_and_ends_with_a_button_or_by_itself(runtime: Runtime, person: Person) -> None:
    mya = on_shift(person("mya"))
    page = mya.post("/shifts/pause", on="1")
    assert "Nobody rings you for 15 minutes." in page.text
    assert "Pause until 10:15" in mya.get("/queue").text
    assert "nobody can ring back" in mya.last.text if mya.last else False
    assert "You are there again." in mya.post("/shifts/pause", on="0").text
    mya.post("/shifts/pause", on="1")
    runtime.clock.skip_to(runtime.clock.now() + timedelta(minutes=15))
    assert "You are on shift" in mya.get("/queue").text
    mya.post("/shift", on="0")
    refused = mya.post("/shifts/pause", on="1")
    assert refused.status_code == 409
    assert "You are not on shift." in refused.text


def test_who_was_taken_off_shift_is_told_why(runtime: Runtime, person: Person) -> None:
    mya = on_shift(person("mya"))
    account = known(runtime, "mya").id
    with runtime.database.write() as session:
        for _ in range(2):
            pool.not_answered(session, account, now=runtime.clock.now())
    for path in ("/queue", "/shifts"):
        assert "your phone rang twice and nobody answered" in mya.get(path).text
    mya.post("/shift", on="1")
    assert "rang twice" not in mya.get("/queue").text
    runtime.clock.skip_to(runtime.clock.now() + timedelta(hours=6, minutes=1))
    attending.tick(runtime)
    assert "it was long enough" in mya.get("/queue").text


# --- hours ----------------------------------------------------------------------------------------------


def test_a_coordinator_sets_the_hours_and_everybody_sees_them(
    runtime: Runtime, person: Person, lead: Browser
) -> None:
    assert "Open now" in lead.get("/hours").text
    week = {f"{day}-how": "hours" for day in range(6)} | {"6-how": "closed"}
    week |= {f"{day}-opens": "12:00" for day in range(6)} | {f"{day}-closes": "20:30" for day in range(6)}
    page = lead.post("/hours", **week)
    assert "The hours are kept." in page.text
    assert opening.kept(runtime).week[6] is None
    seen = person("mya").get("/hours").text
    assert "12:00–20:30" in seen
    assert "Keep these hours" not in seen
    assert "Closed; open again" in seen
    lead.get("/hours")
    lead.post("/hours", **{f"{day}-how": "all" for day in range(7)})
    assert opening.kept(runtime).week == (ALL_DAY,) * 7


def test_hours_without_a_time_are_refused_and_nothing_changes(runtime: Runtime, lead: Browser) -> None:
    lead.get("/hours")
    page = lead.post("/hours", **{f"{day}-how": "hours" for day in range(7)})
    assert page.status_code == 409
    assert opening.kept(runtime).week == (ALL_DAY,) * 7


def test_a_holiday_is_written_down_and_taken_away(runtime: Runtime, lead: Browser) -> None:
    day = today(runtime)
    lead.get("/hours")
    page = lead.post("/hours/days", day=day.isoformat(), name="သင်္ကြန်", how="closed")
    assert "The day is kept." in page.text
    assert "သင်္ကြန် · closed" in page.text
    assert "Closed; open again tomorrow 00:00" in page.text
    page = lead.post(f"/hours/days/{day}/remove")
    assert "like others again" in page.text
    assert "Open now" in page.text
    assert lead.post("/hours/days/never/remove").status_code == 404
    lead.get("/hours")
    assert lead.post("/hours/days", day=day.isoformat(), name=" ", how="closed").status_code == 409


# --- refusing, and how much a day may bring --------------------------------------------------------------


def test_a_refused_request_is_left_to_others(runtime: Runtime, person: Person, asked: Asked) -> None:
    case, mya = asked(), person("mya")
    mya.get("/queue")
    mya.post(f"/cases/{case}/claim")
    page = mya.post(f"/cases/{case}/refuse")
    assert "Left to others. You are not asked for this one again." in page.text
    assert "Left to others</h2>" in page.text
    assert "Take</button>" not in page.text
    assert "not for you" in mya.get(f"/cases/{case}").text
    page = mya.post(f"/cases/{case}/claim")
    assert page.status_code == 409
    hla = person("hla")
    hla.get("/queue")
    assert "This one is yours." in hla.post(f"/cases/{case}/claim").text


def test_a_request_that_nobody_has_can_be_refused_before_it_is_taken(person: Person, asked: Asked) -> None:
    case, mya = asked(), person("mya")
    assert "Not for me" in mya.get(f"/cases/{case}").text
    assert "Left to others" in mya.post(f"/cases/{case}/refuse").text


def test_a_new_counselor_is_told_when_the_day_has_brought_enough(
    runtime: Runtime, person: Person, asked: Asked, lead: Browser
) -> None:
    cases = [asked(handle) for handle in runtime.library.handles[:6]]
    mya = person("mya")
    account = known(runtime, "mya").id
    for case in cases[:4]:
        casework.claim(runtime, case, account)
        casework.release(runtime, case, account)
    page = mya.get("/queue")
    assert "That is enough for today" in page.text
    assert "Take</button>" not in page.text
    page = mya.post(f"/cases/{cases[5]}/claim")
    assert page.status_code == 409
    assert "That is enough for today" in page.text
    with runtime.database.read() as session:
        assert rows.get(session, cases[5]).state is CallbackState.WAITING
    lead.get("/shifts")
    assert "Kept." in lead.post("/shifts/cap", alias="mya", cap="").text
    mya.get("/queue")
    assert "This one is yours." in mya.post(f"/cases/{cases[5]}/claim").text
    lead.get("/shifts")
    assert lead.post("/shifts/cap", alias="mya", cap="many").status_code == 409


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-02-30", "soon", "2026-11-2\x00"])
def test_a_day_of_no_calendar_is_refused_and_breaks_nothing(lead: Browser, day: str) -> None:
    lead.get("/hours")
    assert lead.post("/hours/days", day=day, name="x", how="closed").status_code in {400, 409}
    lead.get("/shifts")
    assert lead.post("/shifts", day=day).status_code in {400, 404, 405, 409}
