"""Sentences for keys and states, and times as people say them. What is said stands here, never in a service."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final, cast

from flask import g
from flask_babel import get_locale, get_translations
from markupsafe import Markup


def _l(message: str) -> str:
    """Mark a sentence of a table for the catalogue; `said` and `tell` say it in the reader's language."""
    return message


def reading() -> str:
    """The reader's language, for one request."""
    if "reading" not in g:
        g.reading = str(get_locale())
    return cast("str", g.reading)


def tell(message: str, **values: object) -> str:
    """A sentence in the reader's language; the catalogue is found once a request, for a page asks it often."""
    if "catalogue" not in g:
        g.catalogue = get_translations()
    said: str = g.catalogue.gettext(message)
    return said % values if values else said


def tell_safely(message: str, **values: object) -> Markup:
    """The same for a template: what is put into the blanks is escaped."""
    sentence = Markup(tell(message))  # noqa: S704 - of our own catalogue
    return sentence % values if values else sentence


_ = tell

REASONS: Final[Mapping[str, str]] = {
    # callbacks
    "taken": _l("Somebody else was faster. Thank you for being ready."),
    "for_coordinators": _l("This one was talked to, or handed up: only a coordinator can take it."),
    "gone": _l("This request is not here any more."),
    "no_phone_yet": _l("No phone is known for this request until its person rings again with the code."),
    "not_now": _l("That is not possible as things stand. Look at the page again."),
    "expired": _l("The time for this request is over. Ringing now could do harm, so nobody is rung."),
    "not_yet": _l("The time that was asked for has not come yet. Ringing earlier may not be safe."),
    "forgotten": _l("The number was destroyed, as it was asked or promised. Nobody can ring it any more."),
    "in_a_call": _l("You are in the call just now. Hang up first."),
    "redialled": _l("The line was tried once more already. Say how it went; she can be rung again later."),
    "refused_before": _l("You said that this one is not for you, so it is left to others."),
    "enough_today": _l(
        "That is enough for today: you have taken as many as a day may bring. Others are there."
    ),
    # shifts and hours
    "not_on_shift": _l("You are not on shift."),
    "no_time": _l("A day, and a time such as 09:30, are needed."),
    "day_over": _l("That time is over already."),
    "far_away": _l("That is more than a year away."),
    "shift_too_long": _l("That is longer than a shift may be. Make two of it, with other people."),
    "they_have_no_phone": _l("There is no phone with that account, so nobody can ring it."),
    "planned_already": _l("That person is planned for some of that time already."),
    "gone_shift": _l("This shift is not in the plan any more."),
    "no_name": _l("A short name is needed, such as that of the holiday."),
    "no_such_cap": _l("A number from 1 to 99 is needed, or nothing."),
    "no_phone": _l("There is no phone with your account, so it cannot ring you. Ask a coordinator."),
    # going on with a case, and who else helps
    "no_reason": _l("Say in a few words why it should be kept: the next one must understand it."),
    "long_reason": _l("This reason is too long. One or two sentences are enough."),
    "kept_longest": _l("Ninety days have passed since the first talk. It cannot be kept any longer."),
    "asked_already": _l("They have asked again already: look at the queue."),
    "words_in_use": _l("These two words stand for somebody else just now. They can ask again by themselves."),
    "no_line": _l("No line is free for one more just now."),
    "no_taker": _l("This colleague is not on shift any more. Ask another."),
    "offer_over": _l("This offer stands no longer: it was taken back, or its time was over."),
    "empty_entry": _l("A name, what it offers and how to reach it are needed."),
    "long_entry": _l("This is too long to be told on the phone. Make it shorter."),
    "too_far": _l("Nothing is known to be true for longer than half a year. Choose an earlier day."),
    "full": _l("The list is full. Take out what is no longer true first."),
    "entry_over": _l("This is no longer known to be true. Nobody may be told of it."),
    # two-way texts
    "by_text": _l("They texted and did not ask to be rung. Answer by text."),
    "text_over": _l("This thread is closed. Nothing can be sent any more."),
    "threads_off": _l("Two-way texts are turned off."),
    "text_stopped": _l("They said stop. Nothing is sent to them."),
    "text_too_late": _l(
        "Their last text is more than a day old. Only a new text of theirs allows another answer."
    ),
    "text_quiet": _l(
        "It is night, and they texted more than an hour ago: a phone that rings now may betray them."
    ),
    "text_empty": _l("There is nothing written."),
    "text_too_long": _l("This is too long for one answer. Say it shorter."),
    "text_number": _l("There is a number in it that can be rung. Numbers do not belong in a text."),
    "text_link": _l("There is an address of the net in it. Links do not belong in a text."),
    "text_listed": _l("There is a word in it that may draw attention. Say it in another way."),
    "text_unseen": _l("There is a sign in it that no phone shows. Type it anew."),
    "text_burmese": _l("Their phone shows no Burmese letters. Write with Latin letters."),
    "text_handle": _l("The two words of the case stand in it. They are only for speaking."),
    # outreach
    "empty": _l("A title and a text are needed."),
    "too_long": _l("This is too long. Make two programmes of it."),
    "no_topic": _l("Choose a topic from the list."),
    "no_language": _l("Choose a language from the list."),
    "not_valid": _l("The last day must be a day to come."),
    "zawgyi": _l("This was written in Zawgyi. Here it stands in Unicode: read it, then keep it."),
    "unreadable_text": _l("There are signs in this text that nobody can read. Type those places again."),
    "unchanged": _l("This is the text that is there already."),
    "voice_too_big": _l("This file is too big: 64 megabytes at most. An MP3 of the same is smaller."),
    "voice_too_long": _l("This is too long: one hour at most."),
    "own_text": _l("You wrote this. Another person must listen to it and approve it."),
    "changed": _l(
        "This sound is not the one you listened to, or it is no longer to be approved. Listen again."
    ),
    "feature_off": _l("Programmes by call are turned off."),
    "not_approved": _l("Only what is approved and still valid may be sent."),
    "running": _l("Calls for this programme are under way already."),
    "nobody": _l("Nobody who is meant by this has asked for programmes."),
    "list_packed": _l("This is a packed file or a workbook. Save the list as CSV."),
    "list_not_text": _l("This is no text. Save the list as CSV in UTF-8."),
    "bad_plan": _l("These numbers cannot be used. Look at days, time and cost again."),
    # stopping everything
    "not_sure": _l("Tick the box as well: it cannot be undone."),
    "second_factor": _l("That code was not right, or it was used before. Wait for the next one."),
    "wipe_word": _l("The word was not the right one. Nothing was destroyed."),
    # wordings
    "draft_there": _l("There is a draft already. Go on with that one."),
    "no_draft": _l("There is no draft any more: it was published or thrown away."),
    "draft_changed": _l("Somebody changed the draft meanwhile. Look at it again, as it is now."),
    "empty_wording": _l("The wording is empty."),
    "long_wording": _l("This wording is far too long."),
    "long_file": _l("This file is far too long."),
    "no_file": _l("There is no such file."),
    "whole_file": _l("This wording can only be changed in its whole file."),
    "own_wording": _l("You changed something in this draft. Another person must read, listen and publish."),
    "faulty": _l("This cannot be published yet. What is wrong is said below; what is running goes on."),
    "unspoken": _l("Not everything has its sound yet. Wait a moment, listen, then publish."),
    "no_version": _l("This version cannot be run again."),
    "unreadable": _l("This version is too old for the programs that are running now."),
    "no_sound_file": _l("This is no sound file that can be read. Take WAV, FLAC, Ogg or MP3."),
    "sound_too_big": _l("This file is too big: ten megabytes at most."),
    "sound_too_long": _l("This is too long: one minute at most."),
    "silent_sound": _l("There is nothing to hear in this."),
    "gone_recording": _l("This recording is not here any more."),
    "own_recording": _l("You brought this recording. Another person must listen to it and approve it."),
    "shown_changed": _l("What is shown has changed meanwhile. Look at it again."),
    # accounts
    "sign_in": _l(
        "That was not right. Check all three: name, password, code. A code works once. "
        "After several tries wait half a minute."
    ),
    "busy": _l("Too many passwords are being tried just now. Yours was not looked at: send it once more."),
    "short_password": _l("The password is too short: twelve characters or more."),
    "alias_or_number_in_use": _l("This name or number is in use."),
    "too_many_numbers": _l("Too many numbers were tried. Wait some minutes."),
    "no_such_account": _l("There is no such account."),
    "no_such_language": _l("The hotline does not speak one of these languages."),
    "bad_alias": _l("Choose an invented name: short, and without digits that could be a number."),
    "for_admins": _l("Only an administrator may do this."),
    "for_coordinators_only": _l("Only a coordinator may do this."),
    "own_account": _l("Somebody else must do this to your account."),
    "bad_number": _l("This is not one phone number. Write it with + and the country."),
    "number_at_home": _l(
        "This number is in the callers' country: the phone company there sees every ring and can hear the call. "
        "If you accept that, tick it below and send once more. A number abroad is safer."
    ),
    "invitation": _l(
        "This invitation does not work: look at every sign, or ask for a new one. "
        "After several tries wait half a minute."
    ),
    "passwords_differ": _l("The two passwords are not the same."),
    "password": _l("The password was not right. After several tries wait half a minute."),
    "first_code": _l(
        "The six digits were not right. Look at the reader again: they change every half minute."
    ),
    "unlock_code": _l("The short code is four to six digits, and not one digit again and again."),
    "unlock": _l("That was not right. After five wrong tries you sign in again with everything."),
    "passkey": _l("The passkey did not work. Try again, or sign in with name, password and code."),
    "stale": _l("This page was open for too long. Please do it once more."),
    "no_such_feature": _l("This is not named in the settings, so it cannot be turned on here."),
    # what is withheld just now
    "quiet_hours": _l("Quiet hours: nobody is rung who did not ask for this very hour."),
    "nobody_on_shift": _l("Nobody is on shift, so nobody can ring back."),
    "outside_hours": _l("Outside the opening hours: callers are told that nobody rings within the hour."),
    "withdrawn": _l("Withdrawn: they took their request back."),
    "wrong_person": _l("Another person answered, so the request ended."),
    "no_consent": _l("Asked for programmes by call and not confirmed it yet: nothing is sent to them."),
}

WIPED: Final = _l("Everything is destroyed. The line tells only what all may hear.")
WIPED_PARTLY: Final = _l(
    "The keys are destroyed, so nothing can be read any more; but not every step worked. "
    "Run hotline wipe on the server."
)

DONE: Final[Mapping[str, str]] = {
    "locked_all": _l("Everything is stopped."),
    "unlocked_all": _l("Everything goes on again."),
    "forgotten_case": _l("It is being destroyed now: the number, the notes and the texts."),
    "claimed": _l("This one is yours. Ring when you are ready."),
    "released": _l("Given back. Somebody else can take it."),
    "calling": _l("Your phone will ring in a moment."),
    "done": _l("Thank you. It is noted, and the request is closed."),
    "no_answer": _l("Noted: no answer."),
    "later": _l("Noted. It will be there again later."),
    "wrong_person": _l("Noted. The request has ended, and the number will be destroyed."),
    "not_safe": _l("Noted. Nobody rings there any more, and the number will be destroyed."),
    "unsafe": _l(
        "Every call is ended and you are off shift. The request is with the others. Look after yourself first."
    ),
    "note_kept": _l("The note is kept."),
    "renewed": _l("Kept for a week from now."),
    "asked_in_talk": _l("Noted: they asked to be rung again, with the same two words and their own number."),
    "offered": _l("Asked. It stays yours until they say yes."),
    "taken_over": _l("This one is yours now. Thank you."),
    "asked_to_join": _l("A colleague was asked to join you."),
    "offer_ended": _l("The offer has ended. The request is with the one who had it."),
    "referred": _l("Noted: they were told of it."),
    "entry_kept": _l("Kept, with your name and today's date."),
    "entry_removed": _l("Taken out."),
    "texted": _l("It leaves now. How it stands is said beside it."),
    "draft_kept": _l("Kept, sealed, for you or whoever goes on with this case."),
    "shift_on": _l("You are on shift."),
    "shift_off": _l("You are off shift. Rest well."),
    "pause_on": _l("Nobody rings you for 15 minutes. Then you are there again by yourself."),
    "pause_off": _l("You are there again."),
    "refused": _l("Left to others. You are not asked for this one again."),
    "shift_planned": _l("Planned. The shift begins and ends by itself."),
    "shift_removed": _l("Taken out of the plan."),
    "week_repeated": _l("The next week is planned in the same way."),
    "nothing_to_repeat": _l("Nothing new: there was nothing to repeat."),
    "cap_set": _l("Kept. It counts from now on."),
    "hours_set": _l("The hours are kept. Callers are told from now on."),
    "holiday_set": _l("The day is kept."),
    "holiday_removed": _l("Taken away. That day is like others again."),
    "written": _l("Kept. It is being made into sound now."),
    "approved": _l("Approved: exactly this sound may be heard from now on."),
    "retired": _l("Taken back. Nobody hears it from now on."),
    "launched": _l("It begins now, as fast as lines, hours and costs allow."),
    "launched_later": _l("Kept. It begins at the time you chose."),
    "paused": _l("Paused. Nobody further is rung or texted, and phones that ring stop ringing."),
    "resumed": _l("It goes on."),
    "canceled": _l("Ended for good. Nobody further is rung or texted."),
    "draft_begun": _l("The draft is open. Nobody hears it before a second person publishes it."),
    "in_draft": _l("Kept in the draft. Nobody hears it before a second person publishes it."),
    "discarded": _l("The draft was thrown away. What is running goes on."),
    "published": _l("Published. It runs everywhere within seconds; calls that have begun end as they began."),
    "went_back": _l("The earlier version runs again, everywhere within seconds."),
    "recorded": _l("Kept. Another person must listen to it and approve it."),
    "recording_approved": _l("Approved: callers hear this voice from now on."),
    "recording_removed": _l("Taken back. A machine's voice speaks this wording again."),
    "switched": _l("Turned. It takes effect within seconds."),
    "looked": _l("Noted: you looked at exactly this and found it fit."),
    "signed_out": _l("You are signed out."),
    "password_changed": _l("The password is changed. Sign in with the new one."),
    "reader_changed": _l("From now on only the new reader counts. Sign in with it."),
    "unlock_code_set": _l("The short code is kept."),
    "phone_changed": _l("The number is kept, sealed."),
    "phone_removed": _l("The number is gone."),
    "passkey_added": _l("The passkey works from now on."),
    "passkey_removed": _l("The passkey works no more."),
    "session_ended": _l("Ended there."),
    "sessions_ended": _l("Signed out everywhere."),
    "unlocked_without_file": _l("The file was not sent, for the page was shut. Choose it once more."),
    "invitation_withdrawn": _l("The invitation works no more."),
    "described": _l("Kept: whom this person is rung for and offered first."),
    "role_changed": _l("The role is changed, and their sessions have ended."),
    "disabled": _l("The account is ended. What it had seen is listed below."),
    "enabled": _l("They can sign in again."),
    "captured": _l("Everything of this account has ended. Look below at what it had seen."),
}

AWAY: Final = _l("Nothing can be read or kept just now. Nothing was changed. Please try again in a minute.")
FAILED: Final = _l("That went wrong, and it was our fault. Nothing is shown of what happened; it is noted.")
WRONG: Final[Mapping[int, str]] = {
    400: _l("This cannot be understood. Go back, look at the page again, and do it once more."),
    403: _l("This is not for your account."),
    404: _l("There is nothing here."),
    405: _l("There is nothing to see at this address."),
    413: _l("That was too much in one go."),
}

WISHES: Final[Mapping[str, str]] = {
    "hour": _l("within the hour"),
    "morning": _l("in the morning, 7 to 11"),
    "midday": _l("at midday, 11 to 3"),
    "evening": _l("in the evening, 5 to 8"),
    "text": _l("only by text"),
}

TONGUES: Final[Mapping[str, str]] = {"my": _l("Burmese"), "en": _l("English")}

STATES: Final[Mapping[str, str]] = {
    "waiting": _l("waiting"),
    "claimed": _l("taken"),
    "calling_counselor": _l("the counselor's phone rings"),
    "calling_caller": _l("the caller is rung"),
    "talking": _l("they talk"),
    "done": _l("done"),
    "no_answer": _l("no answer"),
    "not_safe": _l("stopped, not safe"),
    "wrong_person": _l("another person answered"),
    "withdrawn": _l("withdrawn"),
    "expired": _l("time was over"),
    "uncertain": _l("unclear how it went"),
    "forgotten": _l("forgotten"),
}

# What happened to a request, by why it moved; what is not here is told by the state it came to.
MOVES: Final[Mapping[str, str]] = {
    "asked": _l("Asked to be rung"),
    "asked_again": _l("Asked once more"),
    "texted": _l("A text came"),
    "asked_by_code": _l("Rang again with the code, and may be rung there"),
    "to_coordinator": _l("Handed to a coordinator"),
    "lost_call": _l("The end of a call was never reported"),
    "account_ended": _l("The account of whoever had it was ended"),
    "claimed": _l("Taken"),
    "given_back": _l("Given back"),
    "refused": _l("Given back, and left to others"),
    "counselor_refuse": _l("Given back by phone, and left to others"),
    "call": _l("Call begun: the counselor's phone rings"),
    "counselor_ready": _l("The counselor waits in the call; the caller is rung"),
    "counselor_later": _l("The counselor chose to ring later"),
    "counselor_give_back": _l("Given back by phone"),
    "counselor_silent": _l("The counselor pressed no key"),
    "counselor_left": _l("The counselor hung up before the caller was there"),
    "stays_on_the_line": _l("Stays on the line and waits for somebody"),
    "left_the_line": _l("No longer on the line: to be rung, but not in the next two minutes"),
    "joined": _l("Joined: they talk"),
    "talked": _l("The talk is over"),
    "caller_later": _l("The caller pressed: later"),
    "caller_wrong_person": _l("The person rung pressed: wrong person"),
    "caller_other_key": _l("Another key was pressed: only harmless content was played"),
    "caller_silent": _l("Answered, but no key was pressed"),
    "caller_machine": _l("A machine answered and heard nothing"),
    "caller_left": _l("Answered and hung up"),
    "caller_busy": _l("Engaged"),
    "caller_no_answer": _l("No answer"),
    "caller_failed": _l("The call could not be placed"),
    "later": _l("To be rung later"),
    "next_window": _l("Moved to the same time the next day"),
    "lease_over": _l("Was held too long, so it went back"),
    "renewed": _l("Kept open for another week"),
    "asked_in_talk": _l("Asked, in a talk, to be rung again"),
    "offered": _l("A colleague was asked to take it over"),
    "taken_over": _l("Taken over"),
    "asked_to_join": _l("A colleague was asked into the talk"),
    "not_joined": _l("The colleague did not come"),
    "colleague_joined": _l("A colleague joined the talk"),
    "colleague_left": _l("The colleague has left the talk again"),
    "passed_on": _l("The first one left; the talk goes on with the colleague"),
    "phone_left_it": _l("Not to be rung at that phone any more; waits for its code"),
    "offer_ended": _l("Was not taken over"),
    "wishes_danger": _l("Said: in danger today"),
    "wishes_woman": _l("Wishes to talk with a woman"),
    "escalated": _l("The time ends soon: coordinators were told"),
    "counselor_not_safe": _l("The counselor was not safe; every call was ended"),
    "expired": _l("The time was over"),
    "wrong_person": _l("Another person answered; the request ended"),
}

OUTCOMES: Final[Mapping[str, str]] = {
    "done": _l("We talked, it is done"),
    "no_answer": _l("No answer, and no further try"),
    "later": _l("Ring again later"),
    "wrong_person": _l("It was another person"),
    "not_safe": _l("Ringing endangers them: never ring again, destroy the number"),
}

# Why a request stands where it stands: `services.priority`.
WHY: Final[Mapping[str, str]] = {
    "danger": _l("in danger today"),
    "escalated": _l("the time ends, and nobody has taken it"),
    "ends_soon": _l("the time ends soon"),
    "ends_first": _l("the time ends first"),
    "flagged": _l("a counselor had to end the call: be careful"),
}

TOPICS: Final[Mapping[str, str]] = {
    "health": _l("health"),
    "place": _l("a safe place"),
    "food": _l("food"),
    "allowance": _l("a living allowance"),
    "training": _l("training for work"),
    "family": _l("family"),
    "legal": _l("law"),
    "news": _l("news"),
}
SERVICES: Final[Mapping[str, str]] = {
    "shelter": _l("a safe place"),
    "food": _l("food"),
    "allowance": _l("a living allowance"),
    "training": _l("training for work"),
    "legal": _l("law"),
    "health": _l("health"),
}
ROLES: Final[Mapping[str, str]] = {
    "counselor": _l("counselor"),
    "coordinator": _l("coordinator"),
    "admin": _l("administrator"),
    "auditor": _l("auditor"),
}
# What stands in the audit; what a newer part of the house notes is shown by its own name.
REVIEWS: Final[Mapping[str, str]] = {
    "draft": _l("draft"),
    "reviewed": _l("reviewed"),
    "recorded": _l("spoken by a person"),
}
ENGINES: Final[Mapping[str, str]] = {
    "recorded": _l("a recording"),
    "several": _l("several voices"),
    "google": _l("Google's voice"),
    "offline": _l("the voice on board"),
}
FEATURES: Final[Mapping[str, str]] = {
    "programme_calls": _l("Programmes by call"),
    "programme_texts": _l("Programmes by text"),
    "threads": _l("Answering texts"),
    "live": _l("Staying on the line"),
    "transfer": _l("Bringing a colleague into a talk"),
}
WEEKDAYS: Final = (
    _l("Monday"), _l("Tuesday"), _l("Wednesday"), _l("Thursday"), _l("Friday"), _l("Saturday"), _l("Sunday"),
)  # fmt: skip
OFF: Final[Mapping[str, str]] = {
    "missed": _l("You were taken off shift: your phone rang twice and nobody answered."),
    "long": _l("You were taken off shift: it was long enough. Rest well."),
    "closed": _l("Your shift ended because the opening hours ended."),
    "plan_over": _l("Your shift ended as it was planned."),
    "sheet": _l("You were taken off shift: wrong codes were typed. Ask for a new sheet."),
}
_OUTBOX: Final[Mapping[str, str]] = {
    "waiting": _l("duties that wait"),
    "done": _l("duties done"),
}


def said(table: Mapping[str, str], key: str) -> str:
    """The words for a key, or the key made readable where a newer part of the house uses one we do not know."""
    return tell(table[key]) if key in table else key.replace("_", " ")


def reason(key: str) -> str:
    """A sentence for the reason of a `Refused` or of something withheld; needs a request's language."""
    return tell(REASONS.get(key, REASONS["not_now"]))


def outbox_state(key: str) -> str:
    return said(_OUTBOX, key)


def move(state: str, why: str) -> str:
    """One line of a request's history."""
    return tell(MOVES[why]) if why in MOVES else said(STATES, state)


def at(instant: datetime, now: datetime) -> str:
    """A moment as people say it near `now`, whose zone counts: 10:05, tomorrow 07:00, 24.11. 17:00."""
    local = instant.astimezone(now.tzinfo)
    time = f"{local:%H:%M}"
    match (local.date() - now.date()).days:
        case 0:
            return time
        case 1:
            return _("tomorrow %(time)s", time=time)
        case -1:
            return _("yesterday %(time)s", time=time)
        case _:
            return f"{local.day}.{local.month}. {time}"


def day(instant: datetime, now: datetime) -> str:
    """A day of the zone of `now`, in the order of both languages' people: 24.11.2026."""
    local = instant.astimezone(now.tzinfo)
    return f"{local.day}.{local.month}.{local.year}"


def span(length: timedelta) -> str:
    """How long, in whole minutes, hours or days; never below a minute."""
    minutes = max(1, int(length.total_seconds()) // 60)
    if minutes < 60:
        return _("%(count)s min", count=minutes)
    if minutes < 48 * 60:
        return _("%(hours)s h %(minutes)s min", hours=minutes // 60, minutes=minutes % 60)
    return _("%(count)s days", count=minutes // (24 * 60))


def days(first: date, last: date) -> str:
    """From one day to another: 23.11. – 29.11."""
    return f"{first.day}.{first.month}. – {last.day}.{last.month}."


def written_in(text: str) -> str:
    """The language of what people wrote, by its letters: it decides how high a line is and how it is read aloud."""
    return "my" if any("\u1000" <= sign <= "\u109f" for sign in text) else "en"


def seconds(count: int) -> str:
    return f"{count // 60}:{count % 60:02}"


def demo_time(now: datetime) -> str:
    return f"{now:%H:%M} · {now.day}.{now.month}."
