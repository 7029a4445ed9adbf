"""The demo's clock is one clock for all processes, and moves only when it is told to."""

import json
import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.clock import DemoClock, SystemClock

YANGON = ZoneInfo("Asia/Yangon")
SOON = timedelta(seconds=30)


def test_the_machines_clock_is_aware_and_in_utc() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < SOON


def test_a_new_demo_begins_at_ten_in_the_morning_in_yangon(tmp_path: Path) -> None:
    began = DemoClock(tmp_path / "var" / "clock.json").now().astimezone(YANGON)
    assert (began.hour, began.minute) == (10, 0)
    assert began.date() == datetime.now(YANGON).date()


def test_a_second_process_joins_the_time_and_does_not_set_it_again(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    evening = datetime(2026, 11, 20, 19, 30, tzinfo=YANGON)
    DemoClock(file).skip_to(evening)
    assert abs(DemoClock(file).now() - evening) < SOON


def test_a_skip_is_seen_at_once_by_clocks_that_are_already_running(tmp_path: Path) -> None:
    here, there = DemoClock(tmp_path / "clock.json"), DemoClock(tmp_path / "clock.json")
    for days in range(1, 20):
        here.now()
        later = there.now() + timedelta(days=days)
        there.skip_to(later)
        assert abs(here.now() - later) < SOON


def test_reset_is_ten_in_the_morning_again(tmp_path: Path) -> None:
    clock = DemoClock(tmp_path / "clock.json")
    clock.skip_to(datetime(2030, 1, 1, tzinfo=UTC))
    clock.reset()
    assert clock.now().astimezone(YANGON).hour == 10


def test_a_cleared_data_folder_does_not_stop_a_running_clock(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    clock = DemoClock(file)
    clock.skip_to(datetime(2030, 1, 1, tzinfo=UTC))
    clock.now()
    file.unlink()
    assert clock.now().year == 2030
    assert DemoClock(file).now().year == 2030


def _skip_often(file: Path) -> None:
    clock = DemoClock(file)
    for day in range(100):
        clock.skip_to(datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=day))


def test_no_reader_ever_meets_half_a_file(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    clock = DemoClock(file)
    writer = multiprocessing.get_context("fork").Process(target=_skip_often, args=(file,))
    writer.start()
    while writer.is_alive():
        clock.now()
        assert json.loads(file.read_bytes())
    writer.join()
    assert writer.exitcode == 0
    assert [found.name for found in tmp_path.iterdir()] == ["clock.json"]
