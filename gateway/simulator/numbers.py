"""The made-up numbers of the simulated handsets, derived from the token so that nothing need be stored."""

import hashlib
import hmac
from itertools import count

import phonenumbers

CALLER = "caller"
COUNSELOR = "counselor"

# Counselors live abroad: their legs must never look like a call inside Myanmar.
_ABROAD, _MYANMAR = ("+668", "TH"), ("+9597", "MM")


def demo_number(auth_token: str, name: str) -> str:
    """Return the E.164 number of a handset: a valid Thai mobile for the counselor, a Myanmar one for others.

    The same token and name give the same number after every restart.
    """
    prefix, region = _ABROAD if name == COUNSELOR else _MYANMAR
    for attempt in count():
        mac = hmac.new(auth_token.encode(), f"handset:{name}:{attempt}".encode(), hashlib.sha256).digest()
        number = f"{prefix}{int.from_bytes(mac[:8], 'big') % 10**8:08d}"
        parsed = phonenumbers.parse(number, None)
        mobile = phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.MOBILE
        if mobile and phonenumbers.is_valid_number_for_region(parsed, region):
            return number
    raise AssertionError  # `count` never ends
