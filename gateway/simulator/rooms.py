"""Conference rooms: who is in them, when they begin and when they end."""

from dataclasses import dataclass, field

from gateway.simulator.records import Call
from gateway.simulator.twiml import Conference


@dataclass(slots=True)
class Room:
    """A conference; it begins with the second participant, once one has come who may start it."""

    sid: str
    name: str
    people: dict[str, Conference] = field(default_factory=dict)
    may_start: bool = False
    begun: bool = False
    closed: bool = False
    sequence: int = 0


class Rooms:
    """All conferences by name. The caller holds the network's lock; a closed room's name starts afresh."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}

    def enter(self, call: Call, conference: Conference, sid: str) -> tuple[Room, list[str]]:
        """Let a call in and return the room and the events to report."""
        room = self._rooms.setdefault(conference.name, Room(sid, conference.name))
        room.people[call.sid] = conference
        call.room = conference.name
        room.may_start = room.may_start or conference.start_on_enter
        events = ["join"]
        if not room.begun and room.may_start and len(room.people) >= 2:
            room.begun = True
            events.append("start")
        return room, events

    def full(self, conference: Conference) -> bool:
        room = self._rooms.get(conference.name)
        return room is not None and len(room.people) >= conference.most

    def leave(self, call: Call, room: Room) -> list[str]:
        """Let a call out and return the events to report; the last or an ending guest closes the room."""
        conference = room.people.pop(call.sid)
        call.room = None
        events = ["leave"]
        if not room.closed and (conference.end_on_exit or not room.people):
            room.closed = True
            del self._rooms[room.name]
            events.append("end")
        return events
