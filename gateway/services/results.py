"""How campaigns went: counts in which nobody can be found, over time, what they cost, and as a table to keep."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import spending
from gateway.services.campaigns import OUTCOMES
from gateway.store import campaigns, outreach
from gateway.store.campaigns import CampaignState
from gateway.store.database import Session

SMALL: Final = 5
FEW: Final = "<5"
HIDDEN: Final = "–"
"""Not told, because with the total it would tell another's small count."""
OF_REACHED: Final = ("heard_4", "heard_3", "heard_2", "heard_1", "heard_0")
"""How far those who were reached listened: to the end, to the last quarter …; these add up to the reached."""
ASIDE: Final = ("asked", "enough")
"""Of those who were reached: asked for a counselor; pressed never again."""
REACHED: Final = ("reached", "texted")


@dataclass(frozen=True, slots=True)
class Results:
    """A campaign in counts that may be shown: `5` and more as they are, the others hidden."""

    state: CampaignState
    listed: str
    left: str
    outcomes: Mapping[str, str]
    listened: Mapping[str, str]
    aside: Mapping[str, str]
    spent: Decimal
    cap: Decimal | None

    @property
    def capped(self) -> bool:
        return self.state is CampaignState.CAPPED


def of_campaign(runtime: Runtime, campaign: str) -> Results:
    """Raises `Refused("gone")`."""
    with runtime.database.read() as session:
        there = campaigns.get(session, campaign)
        if there is None:
            raise Refused("gone")
        counts = campaigns.totals(session, campaign)
        spent = spending.of_campaign(session, campaign)
    outcomes = {what: counts[what] for what in OUTCOMES if counts.get(what)}
    left = counts.get("listed", 0) - sum(outcomes.values())
    parts = hidden({**outcomes, "left": left} if left else outcomes)
    listened = {what: counts[what] for what in OF_REACHED if counts.get(what)}
    # Where how many were reached is not told, nothing of them is.
    told = parts.get("reached", "0").isdigit()
    return Results(
        state=there.state,
        listed=shown(counts.get("listed", 0)),
        left=parts.pop("left", "0"),
        outcomes=parts,
        listened=hidden(listened) if told else dict.fromkeys(listened, HIDDEN),
        aside={what: _aside(counts, what, told=told) for what in ASIDE if counts.get(what)},
        spent=spent,
        cap=None if there.cap is None else Decimal(there.cap) / 10_000,
    )


def _aside(counts: Mapping[str, int], what: str, *, told: bool) -> str:
    """A part of the reached; hidden too where so few of them are not in it that they could be counted."""
    rest = counts.get("reached", 0) - counts[what]
    return shown(counts[what]) if told and (rest == 0 or rest >= SMALL) else HIDDEN


def shown(count: int) -> str:
    return FEW if 0 < count < SMALL else str(count)


def hidden(counts: Mapping[str, int]) -> dict[str, str]:
    """Parts of a total that is told: small ones are hidden, and as many more that the rest tells none of them.

    What is hidden is at least two parts and at least five people, or the total without the others would tell.
    """
    small = {what for what, count in counts.items() if 0 < count < SMALL}
    others = sorted((count, what) for what, count in counts.items() if count >= SMALL)
    covered = set(small)
    while small and others and (len(covered) < 2 or sum(counts[what] for what in covered) < SMALL):
        covered.add(others.pop(0)[1])
    return {
        what: FEW if what in small else HIDDEN if what in covered else str(count)
        for what, count in counts.items()
    }


def over_all(session: Session) -> dict[str, int]:
    """How many recipients of all campaigns are in each state, for the operator's status."""
    counts = campaigns.all_totals(session)
    outcomes = {what: counts[what] for what in OUTCOMES if counts.get(what)}
    left = counts.get("listed", 0) - sum(outcomes.values())
    return {"pending": left, **outcomes} if left else outcomes


# --- over time ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Curve:
    """So many were reached, and so many calls came to nothing, from the beginning until each hour's end."""

    hours: Sequence[datetime]
    reached: Sequence[int]
    others: Sequence[int]


def curve(runtime: Runtime, campaign: str) -> Curve:
    """In steps of five: a smaller step would tell when one person was called."""
    with runtime.database.read() as session:
        if campaigns.get(session, campaign) is None:
            raise Refused("gone")
        found = campaigns.by_hour(session, campaign)
    hours = sorted({hour for hour, what, _ in found if what in OUTCOMES})
    reached = {hour: count for hour, what, count in found if what in REACHED}
    ended: dict[datetime, int] = {}
    for hour, what, count in found:
        if what in OUTCOMES and what not in REACHED:
            ended[hour] = ended.get(hour, 0) + count
    return Curve(hours, _steps(hours, reached), _steps(hours, ended))


def _steps(hours: Iterable[datetime], counts: Mapping[datetime, int]) -> list[int]:
    total, steps = 0, []
    for hour in hours:
        total += counts.get(hour, 0)
        steps.append(total - total % SMALL)
    return steps


# --- to keep ------------------------------------------------------------------------------------------


def as_csv(runtime: Runtime, campaign: str) -> str:
    """The same counts as on the page, hidden in the same way."""
    there = of_campaign(runtime, campaign)
    with runtime.database.read() as session:
        found = campaigns.get(session, campaign)
        version = outreach.version(session, found.version) if found else None
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(["what", "count"])
    table.writerows(
        [
            ["language", version.language if version else ""],
            ["topic", version.topic if version else ""],
            ["state", there.state],
            ["listed", there.listed],
            ["left", there.left],
            *there.outcomes.items(),
            *there.listened.items(),
            *there.aside.items(),
            ["spent", f"{there.spent:.2f}"],
            *([["cap", f"{there.cap:.2f}"]] if there.cap is not None else []),
        ]
    )
    return out.getvalue()
