"""The honest notice: what no software here can protect, to be read and accepted before anybody real calls."""

from typing import Final

from gateway.errors import SettingsError
from gateway.settings import Settings

VERSION: Final = "2026-11"

TEXT: Final = f"""\
BEFORE ANYBODY CALLS: what this gateway cannot protect

1. The phone company sees every call and every text: who, when, how long, from where. It keeps them for years and
   hands them over. Texts are read. Calls can be listened to, and the keys pressed in them are heard.
2. Whoever holds the phone sees its list of calls and texts. We cannot delete anything there, and we say so nowhere.
3. A hotline's number becomes known. Everybody who rang it, or was rung from it, can then be listed with one question
   to a phone company. A number that is public is a risk for each caller, however well we keep our side.
4. Caller ID is easily forged. A ring or a text from a number proves nothing about who holds that phone.
5. Twilio, or whoever carries your calls, has the numbers, the times and the texts on its own computers, in another
   country, and answers to courts there. We delete its copies; whether all are gone, only it knows.
6. Whoever takes the server, with the root key and the keystore, reads the numbers of those who wait and of the last
   week. Whoever watches a running server reads what passes through it.
7. A counselor knows voices and stories. No software notices one who tells. A volunteer's phone can be taken.
8. The robot's Burmese is for trying things out. Wordings marked as drafts were read by no native speaker yet. A wrong
   word at a checkpoint can cost a life.
9. Nobody has tested this with a real account of yours, your phones and your operators until you do.
   docs/reachability.md is the form for it.

If any of this is worse for your callers than having no hotline, do not run one.

To accept it for this installation, set HOTLINE_NOTICE_ACCEPTED={VERSION}
"""


def accepted(settings: Settings) -> bool:
    return settings.notice_accepted == VERSION


def refuse_unread(settings: Settings) -> None:
    """Stop a production start before somebody has read the notice; the first start shows it. Raises `SettingsError`."""
    if settings.mode == "production" and not accepted(settings):
        fault = (
            f"HOTLINE_NOTICE_ACCEPTED: read the notice above (or: hotline notice), then set it to {VERSION}"
        )
        raise SettingsError((TEXT, fault))
