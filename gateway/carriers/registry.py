"""The carriers by name, and how each is built from the settings."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from gateway.carriers.base import Carrier
from gateway.carriers.twilio import TwilioCarrier
from gateway.settings import Settings


def _twilio(settings: Settings) -> Carrier:
    tokens = (settings.twilio_auth_token, settings.twilio_previous_token)
    return TwilioCarrier(
        account_sid=settings.twilio_account_sid,
        tokens=tuple(token for token in tokens if token),
        public_url=settings.public_url,
        api_base_url=settings.twilio_api_base_url,
        fallback_url=settings.fallback_url,
    )


BUILDERS: Final[Mapping[str, Callable[[Settings], Carrier]]] = MappingProxyType({"twilio": _twilio})


def build(name: str, settings: Settings) -> Carrier:
    """Build the carrier called `name`; a KeyError is a mistake of ours, for no setting chooses it yet."""
    return BUILDERS[name](settings)
