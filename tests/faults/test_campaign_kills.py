"""kill -9 of workers, their jobs and Valkey during a campaign: nobody is called twice, nobody is forgotten."""

import itertools
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from faults.conftest import Up
from faults.test_kill_nine import BUSY
from front_door import Provider
from journeys.test_programmes import approved
from journeys.test_ten_thousand_handsets import _opted_in
from real_hotline import lives, until
from sqlalchemy import func, select
from trials import trials

from gateway.services import campaigns
from gateway.store import campaigns as rows
from gateway.store.legs import legs
from gateway.store.outreach import VersionState, versions

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]


@pytest.mark.promise(12)
def test_a_campaign_under_kills_calls_everybody_once(
    up: Up, provider: Provider, tried: Callable[[int], None]
) -> None:
    hotline = up(provider, **BUSY)
    count, kills = trials(60, 10_000), trials(3, 100)
    tried(count)
    hotline.later(seconds=1)
    approved_with_real_workers(hotline)
    _opted_in(hotline, [f"+95979{at:07d}" for at in range(count)])
    version = hotline.one(select(versions.c.id))[0]
    provider.refuse = partial(time.sleep, 0.05)  # type: ignore[assignment]  # a carrier takes its time
    campaign = campaigns.launch(hotline.runtime, version, "x")
    for victim in itertools.islice(itertools.cycle(["job", "worker", "valkey", "job"]), kills):
        before = len(provider.calls)
        until(lambda before=before: len(provider.calls) > before or len(provider.calls) >= count, 120)  # type: ignore[misc]
        if len(provider.calls) >= count:
            break
        dead = hotline.kill(victim)
        until(lambda dead=dead: not lives(dead), 10)  # type: ignore[misc]
        hotline.later(seconds=65)  # a dead worker's rows are free again
    deadline = time.monotonic() + trials(120, 3_000)
    while len(provider.calls) < count or _unknown(hotline):
        assert time.monotonic() < deadline, (
            f"{len(provider.calls)} of {count} called, {_unknown(hotline)} unknown"
        )
        time.sleep(1)
        hotline.later(seconds=20)
    rung = Counter(call.form["To"] for call in provider.calls)
    assert set(rung.values()) == {1}
    assert len(rung) == count
    with hotline.runtime.database.read() as session:
        assert rows.totals(session, campaign)["listed"] == count


def approved_with_real_workers(hotline) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a RealHotline
    """As `approved`, but the hotline's own worker makes the sound."""
    hotline.work = lambda **_: until(lambda: _ready(hotline), 60)
    approved(hotline)


def _ready(hotline) -> bool:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a RealHotline
    return bool(hotline.rows(select(versions.c.id).where(versions.c.state == VersionState.READY)))


def _unknown(hotline) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a RealHotline
    """Calls of which it is not known yet whether they were placed."""
    unknown = select(func.count()).select_from(legs).where(legs.c.sid.is_(None), legs.c.ended.is_(None))
    return int(hotline.one(unknown)[0])
