"""The two clocks: the machine's, and the demo's, which can be put forward for all processes at once."""

import json
import os
import tempfile
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

_DEMO_ZONE = ZoneInfo("Asia/Yangon")
_DEMO_START = time(10, 0)


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Tell the time, aware, in UTC."""
        return datetime.now(UTC)


class DemoClock:
    """The machine's clock plus an offset that is kept in a file, so that every process sees the same time.

    The first to open it sets it to ten in the morning in Yangon of the day, when a hotline is open.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: tuple[int, int, int] | None = None
        self._offset = timedelta()
        if not file.exists():
            self._write(_to_ten(), keep_existing=True)

    def now(self) -> datetime:
        """Tell the time of the demo, aware, in UTC; it follows at once what another process set."""
        return datetime.now(UTC) + self._read()

    def skip_to(self, instant: datetime) -> None:
        """Make it `instant` (aware) now, for all processes."""
        self._write(instant - datetime.now(UTC))

    def reset(self) -> None:
        """Make it ten in the morning in Yangon of the real day, as at the first start."""
        self._write(_to_ten())

    def _read(self) -> timedelta:
        try:
            stat = self._file.stat()
        except FileNotFoundError:  # someone cleared the data folder under a running demo
            self._write(self._offset, keep_existing=True)
            stat = self._file.stat()
        seen = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        if seen != self._seen:
            self._offset = timedelta(seconds=json.loads(self._file.read_bytes())["offset_seconds"])
            self._seen = seen
        return self._offset

    def _write(self, offset: timedelta, *, keep_existing: bool = False) -> None:
        """Put a whole file in place, so that no reader meets half of one."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=".clock-")
        try:
            with os.fdopen(handle, "w", encoding="ascii") as out:
                json.dump({"offset_seconds": offset.total_seconds()}, out)
            if keep_existing:
                os.link(name, self._file)
            else:
                Path(name).replace(self._file)
        except FileExistsError:  # another process was first: its time rules
            pass
        finally:
            Path(name).unlink(missing_ok=True)


def _to_ten() -> timedelta:
    now = datetime.now(UTC)
    ten = datetime.combine(now.astimezone(_DEMO_ZONE), _DEMO_START, tzinfo=_DEMO_ZONE)
    return ten - now
