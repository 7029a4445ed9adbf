"""Every error of the gateway; an error says what to do next.

GatewayError
├── SettingsError    the configuration is wrong: stop the start, one line per fault
├── BadNumber        this text is not one phone number: ask again, never guess
├── BadSignature     the request is not from the carrier: refuse before reading a field
├── CarrierError     the provider did not do it: `retry`, or `uncertain` and to be looked up
├── KeystoreDown     no keys can be had now: say that nothing was saved
├── VaultLocked      this process has no root key: only a worker that holds it can go on
├── KeyDestroyed     the subject was forgotten: there is nothing left to open
├── BadSeal          the sealed value is not of this place, or was changed: never use it
├── StoreDown        the database cannot be had now: say that nothing was saved
├── QueueDown        the bell cannot be rung now: the clock will ring it later
└── Refused          a rule says no: `reason_key` names the sentence to show or speak

`prompts.errors.ContentError` and `ivr.script.ScriptError` are the base errors of the rooms below.
"""
# ruff: noqa: N818 - named for what happened, as the design agreed; "KeystoreDownError" says nothing more


class GatewayError(Exception):
    """The base of all errors that this package raises on purpose."""


class SettingsError(GatewayError):
    """`faults`: a line for each fault, each naming the setting and what to do, none holding a value."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class BadNumber(GatewayError):
    """Carries no part of what was typed."""


class BadSignature(GatewayError):
    """Carries no part of the request."""


class CarrierError(GatewayError):
    """The provider did not confirm a request.

    `retry`: certainly not done, and may succeed later. `uncertain`: it may have been done, so it is looked
    up and never repeated blindly. `code`: the provider's own error code, where it gave one.
    """

    def __init__(
        self, message: str, *, retry: bool, uncertain: bool = False, code: int | None = None
    ) -> None:
        super().__init__(message)
        self.retry = retry
        self.uncertain = uncertain
        self.code = code


class KeystoreDown(GatewayError):
    """The keystore did not answer in time, or was never prepared."""


class VaultLocked(GatewayError):
    """What was asked needs the root key, which this process does not hold."""


class KeyDestroyed(GatewayError):
    """The subject's keys are gone, and with them what they sealed."""


class BadSeal(GatewayError):
    """A sealed value was moved, changed, or sealed by another installation."""


class StoreDown(GatewayError):
    """The database did not answer in time, is locked, full or read-only."""


class QueueDown(GatewayError):
    """Redis did not answer in time."""


class Refused(GatewayError):
    """`reason_key`: the key of a wording, never the wording itself."""

    def __init__(self, reason_key: str) -> None:
        super().__init__(reason_key)
        self.reason_key = reason_key
