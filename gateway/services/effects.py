"""What a turn's effects do, in the turn's own transaction."""

from collections.abc import Sequence
from typing import assert_never

from gateway.errors import KeystoreDown, Refused
from gateway.runtime import Runtime
from gateway.services import (
    bridging,
    callbacks,
    cases,
    flood,
    forgetting,
    keypad,
    opting_in,
    outreach_calls,
    pool,
    ringing_back,
    spending,
    staying,
    threads,
    transferring,
)
from gateway.services.errands import Errand
from gateway.services.facts import Turn
from gateway.store import attendance, audit, campaigns, contacts, counselors, legs, refusals
from gateway.store.database import Session
from gateway.store.legs import LegKind
from gateway.vault import NewSubject, Place
from ivr import actions as act


class NeedsKeys(Exception):  # noqa: N818 - not an error: the turn is tried again with keys made first
    """A new contact needs keys, which are committed to the keystore before the transaction begins."""


class NothingKept(KeystoreDown):
    """There is nobody to keep the request for."""


class Effects:
    """Performs the effects of one turn; `new` are the keys of `contact`, made in case a contact is needed."""

    def __init__(
        self, session: Session, runtime: Runtime, turn: Turn, new: NewSubject | None, contact: str
    ) -> None:
        self.session = session
        self.runtime = runtime
        self.turn = turn
        self.new = new
        self.new_contact = contact
        self.errands: list[Errand] = []
        self.asked = ""  # the request of this turn
        self.leg = ""  # what this call, which was dialled in, is from this turn on

    def perform(self, actions: Sequence[act.Action]) -> list[Errand]:
        """Store every effect among the actions. Return the errands to ring for after the commit."""
        for action in actions:
            if isinstance(action, act.Perform):
                self._one(action.effect)
        return self.errands

    def _one(self, effect: act.Effect) -> None:  # noqa: C901, PLR0912 - one case an effect
        match effect:
            case act.Ask():
                self._ask(effect)
            case act.AskByCode():
                self._ask_by_code(effect)
            case act.AskForCase():
                self._ask_for_case(effect)
            case act.KeepText():
                self._keep_text(effect)
            case act.AddWish():
                self._add_wish(effect)
            case act.GuessedCase():
                cases.guessed_wrong(self.session, self.runtime, effect.code, self.turn.now)
            case act.RingBack():
                self._ring_back()
            case act.OptIn():
                self._opt_in(effect)
            case act.OptInTexts():
                self._opt_in_texts(effect)
            case act.ConfirmTexts():
                self._confirm_texts()
            case act.Renew():
                self._renew()
            case act.Withdraw():
                self._of_number(forgetting.withdraw)
            case act.Stop():
                self._of_number(forgetting.stop)
            case act.Forget():
                self._of_number(forgetting.forget)
            case act.RememberLanguage():
                self._prefer(language=effect.language)
            case act.RememberDisplay():
                self._prefer(display=effect.display)
            case act.GateOpened():
                self._gate_opened()
            case act.GateRefused():
                self._gate_refused(effect.why)
            case (
                act.UseSheetCode()
                | act.WrongSheetCode()
                | act.TakeNext()
                | act.SetShift()
                | act.Outcome()
                | act.CounselorHere()
                | act.CounselorReady()
                | act.CounselorDeclined()
                | act.ColleagueHere()
                | act.ColleagueJoins()
                | act.ColleagueDeclined()
                | act.RingAgain()
            ):
                self._of_counselor(effect)
            case act.Stay() | act.StayJoined() | act.StayLeft():
                self._stays(effect)
            case act.BridgeEnded():
                self.errands += bridging.talk_over(
                    self.session,
                    self.runtime,
                    self.turn.subject,
                    self.turn.account or None,
                    now=self.turn.now,
                )
            case act.Heard():
                if self.turn.kind == LegKind.PROGRAMME:
                    campaigns.heard(self.session, self.turn.subject, effect.pieces)
            case _:
                assert_never(effect)

    def _of_counselor(self, effect: act.CounselorEffect) -> None:  # noqa: C901, PLR0912 - one case an effect
        """What the counselor on this line does."""
        session, runtime, turn = self.session, self.runtime, self.turn
        match effect:
            case act.UseSheetCode():
                keypad.use_code(session, runtime, turn.account, turn.keys, now=turn.now)
            case act.WrongSheetCode():
                keypad.wrong_code(session, turn.account, now=turn.now)
            case act.TakeNext():
                keypad.take_next(session, runtime, turn.account, turn.leg, now=turn.now)
            case act.SetShift():
                self._set_shift(on=effect.on)
            case act.Outcome():
                self.errands += keypad.record(
                    session, runtime, turn.subject, turn.account, effect.how, now=turn.now
                )
            case act.CounselorHere():
                self._counselor_here()
            case act.CounselorReady():
                legs.opened(session, turn.leg)
                self.errands += bridging.counselor_ready(
                    session, runtime, turn.subject, account=turn.account, now=turn.now
                )
            case act.RingAgain():
                self.errands += bridging.ring_again(
                    session, runtime, turn.subject, account=turn.account, now=turn.now
                )
            case act.CounselorDeclined():
                self._counselor_declined(effect.why)
            case act.ColleagueHere():
                self._colleague_here()
            case act.ColleagueJoins():
                transferring.joins(session, turn.subject, turn.account, turn.leg, now=turn.now)
            case act.ColleagueDeclined():
                transferring.not_there(
                    session, callbacks.known(session, turn.subject), turn.account, now=turn.now
                )
            case _:
                assert_never(effect)

    def _set_shift(self, *, on: bool) -> None:
        session, turn = self.session, self.turn
        if on:
            attendance.begin(session, turn.account, turn.now)
        else:
            attendance.end(session, turn.account)
        what = "shift_on" if on else "shift_off"
        audit.note(session, what=what, account=turn.account, subject=turn.account, now=turn.now)

    def _counselor_here(self) -> None:
        """The right key, or the right code of somebody who was rung: from here on the line is the request's."""
        session, turn = self.session, self.turn
        legs.opened(session, turn.leg)
        counselors.change(session, turn.account, missed_rings=0)
        self.errands += bridging.counselor_here(
            session, self.runtime, turn.subject, turn.leg, turn.account, now=turn.now
        )
        if turn.kind == LegKind.KEYPAD:
            legs.belongs_to(session, turn.leg, kind=LegKind.COUNSELOR, subject=turn.subject)

    def _colleague_here(self) -> None:
        session, turn = self.session, self.turn
        if not transferring.asked(session, turn.subject, turn.account, now=turn.now):
            raise Refused("taken")
        legs.opened(session, turn.leg)
        counselors.change(session, turn.account, missed_rings=0)
        legs.belongs_to(session, turn.leg, kind=LegKind.COLLEAGUE, subject=turn.subject)

    def _counselor_declined(self, why: str) -> None:
        session, turn = self.session, self.turn
        several = pool.rang_one_of_several(session, turn.leg)
        bridging.counselor_declined(
            session, turn.subject, turn.account, why=why, now=turn.now, one_of_several=several
        )
        if why == "refuse":
            refusals.add(session, turn.subject, turn.account, now=turn.now)

    def _ask(self, effect: act.Ask) -> None:
        self._one_more("requests")
        contact = self._contact()
        callback = callbacks.ask(
            self.session,
            self.runtime,
            contact,
            wish=effect.wish,
            own_key=effect.own_key,
            handle=effect.handle,
            language=self.turn.language,
            line_index=self._public_line(),
            now=self.turn.now,
        )
        self.asked = callback
        if contact != self.new_contact:  # of somebody just met no call stands
            self.errands += callbacks.calls_off(self.session, self.runtime, callback, now=self.turn.now)
            self.errands += staying.let_go(self.session, self.runtime, callback, now=self.turn.now)
        self.errands += pool.asked(self.session, self.runtime, callback, now=self.turn.now)
        if self.turn.kind == LegKind.PROGRAMME:
            campaigns.note(self.session, self.turn.subject, asked=True)

    def _stays(self, effect: act.Stay | act.StayJoined | act.StayLeft) -> None:
        session, runtime, turn = self.session, self.runtime, self.turn
        match effect:
            case act.Stay():
                self.leg, owed = staying.begin(
                    session, runtime, self.asked, sid=turn.sid, line_index=turn.line_index, now=turn.now
                )
                self.errands += owed
            case act.StayJoined():
                staying.joined(session, turn.subject, turn.leg, now=turn.now)
            case act.StayLeft():
                her = legs.get(session, turn.leg)
                self.errands += staying.left(session, runtime, her, now=turn.now) if her else []
            case _:
                assert_never(effect)

    def _keep_text(self, effect: act.KeepText) -> None:
        contact = self._contact()
        if threads.opens_a_case(self.session, contact):
            self._one_more("requests")
        threads.arrived(
            self.session,
            self.runtime,
            contact,
            text=self.turn.text,
            display=self.turn.display,
            sent=self.turn.sent,
            handle=effect.handle,
            language=self.turn.language,
            line_index=self._public_line(),
            now=self.turn.now,
        )

    def _add_wish(self, effect: act.AddWish) -> None:
        there = callbacks.add_wish(self.session, effect.handle, what=effect.what, now=self.turn.now)
        if there is None:
            raise NothingKept("it is over, or was asked for again in another call")
        self.errands += pool.asked(self.session, self.runtime, there.id, now=self.turn.now)

    def _not_halted(self) -> None:
        if self.runtime.switches.halted:
            raise NothingKept("the hotline is locked")

    def _ask_by_code(self, effect: act.AskByCode) -> None:
        self._not_halted()
        self._one_more("requests")
        cases.open_one(
            self.session,
            self.runtime,
            own_key=effect.own_key,
            handle=effect.handle,
            code=effect.code,
            language=self.turn.language,
            line_index=self._public_line(),
            now=self.turn.now,
        )

    def _ask_for_case(self, effect: act.AskForCase) -> None:
        contact = self._contact()
        self._one_more("requests")
        if cases.crowd_at(self.session, self.runtime, contact, effect.code):
            raise NothingKept("too many cases at one phone")
        callback, errands = cases.ring_here(
            self.session,
            self.runtime,
            contact,
            code=effect.code,
            wish=effect.wish,
            line_index=self._public_line(),
            now=self.turn.now,
        )
        self.errands += errands
        self.errands += pool.asked(self.session, self.runtime, callback, now=self.turn.now)

    def _ring_back(self) -> None:
        """A rejected ring: a counselor's on a counselors' number, or anybody's but who said stop."""
        index = self.turn.number_index
        if index is None:
            return
        if self.turn.kind == "counselors_line":
            self.errands += keypad.rang(self.session, self.runtime, index, now=self.turn.now)
        elif not contacts.is_forbidden(self.session, index):
            self._one_more("rings")
            self.errands += ringing_back.asked(
                self.session,
                self.runtime,
                self._contact(),
                line_index=self.turn.line_index,
                now=self.turn.now,
            )

    def _opt_in(self, effect: act.OptIn) -> None:
        self._one_more("rings")
        self.errands += opting_in.by_call(
            self.session,
            self.runtime,
            self._contact(),
            own_key=effect.own_key,
            language=self.turn.language,
            line_index=self._public_line(),
            now=self.turn.now,
        )

    def _opt_in_texts(self, effect: act.OptInTexts) -> None:
        opting_in.by_text(
            self.session,
            self.runtime,
            self._contact(),
            code=effect.code,
            language=self.turn.language,
            line_index=self._public_line(),
            now=self.turn.now,
        )

    def _confirm_texts(self) -> None:
        if self.turn.number_index is not None:
            opting_in.texts_confirmed(self.session, self.runtime, self.turn.number_index, now=self.turn.now)

    def _renew(self) -> None:
        recipient = campaigns.recipient(self.session, self.turn.subject)
        if recipient is not None:
            opting_in.renew(self.session, recipient.consent, now=self.turn.now)

    def _contact(self) -> str:
        """The contact of this number, made where there is none; asking lifts an earlier stop.

        Raises `NothingKept` where nobody could be kept: the number is unknown, is none that we ring, or was
        forgotten in this very call.
        """
        turn = self.turn
        self._not_halted()
        if turn.number_index is None:
            raise NothingKept("no number to keep it for")
        if turn.caller is not None and not spending.may_be_rung(self.runtime, turn.caller):
            raise NothingKept("a number that we never ring")
        if contacts.is_listed(self.session, turn.number_index):
            raise NothingKept(
                "on an operator's list, which asking does not lift: whoever asks may be anybody"
            )
        contacts.allow(self.session, turn.number_index)
        there = contacts.find(self.session, turn.number_index)
        if there is not None:
            return there
        if turn.caller is None:
            raise NothingKept("the number was forgotten during this call")
        if self.new is None:
            raise NeedsKeys
        place = Place("contacts", "number", self.new_contact)
        sealed = self.new.seal_number(place, turn.caller)
        contacts.add(self.session, self.new_contact, turn.number_index, sealed, turn.now)
        return self.new_contact

    def _one_more(self, what: str) -> None:
        """Raises `NothingKept` where that many cannot be served in an hour."""
        if flood.crowded(self.session, self.runtime, what, self.turn):
            raise NothingKept("too many in an hour")

    def _public_line(self) -> bytes:
        """The number she contacted, or that rang her back."""
        return self.turn.line_index

    def _of_number(self, what: forgetting.OfNumber) -> None:
        if self.turn.number_index is not None:
            self.errands += what(self.session, self.runtime, self.turn.number_index, now=self.turn.now)

    def _prefer(self, *, language: str | None = None, display: str | None = None) -> None:
        if self.turn.number_index is not None:
            contacts.prefer(
                self.session, self.turn.number_index, language=language, display=display, now=self.turn.now
            )

    def _gate_opened(self) -> None:
        legs.opened(self.session, self.turn.leg)
        legs.say_result(self.session, self.turn.leg, "opened")
        match self.turn.kind:
            case LegKind.CALLBACK:
                if not bridging.caller_joined(self.session, self.turn.subject, now=self.turn.now):
                    raise Refused("gone")
            case _:
                if self.turn.number_index is None:  # stopped, or expired, while it rang
                    raise Refused("gone")
                outreach_calls.opened(self.session, self.turn)

    def _gate_refused(self, why: str) -> None:
        legs.say_result(self.session, self.turn.leg, why)
        match self.turn.kind:
            case LegKind.CALLBACK:
                self.errands += bridging.caller_not_joined(
                    self.session, self.runtime, self.turn.subject, why=why, now=self.turn.now
                )
            case _:
                self.errands += outreach_calls.refused(self.session, self.runtime, self.turn, why)
