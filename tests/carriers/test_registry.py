"""Each carrier is built from the settings, and the web pays for nothing that it does not use."""

import base64
import subprocess
import sys
from pathlib import Path

from gateway import settings as gateway_settings
from gateway.carriers import registry
from gateway.carriers.base import Carrier
from gateway.carriers.twilio import TwilioCarrier


def test_every_carrier_is_built_under_its_own_name(tmp_path: Path) -> None:
    settings = gateway_settings.load(gateway_settings.demo_environment(tmp_path, 8000))
    for name in registry.BUILDERS:
        carrier: Carrier = registry.build(name, settings)
        assert carrier.name == name
        secret = settings.twilio_auth_token
        assert secret not in repr(carrier)
        assert base64.b64encode(secret.encode()).decode() not in repr(carrier)


def test_reading_and_answering_webhooks_does_not_load_the_rest_library() -> None:
    code = (
        "import sys;"
        "from gateway.carriers.twilio import inbound, rendering, signature;"
        "from gateway.carriers import registry;"
        "print(sorted({'twilio', 'requests', 'urllib3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_placing_a_call_takes_is_loaded_before_a_worker_forks() -> None:
    code = (
        "import sys;"
        "from gateway.carriers.twilio import TwilioCarrier;"
        "carrier = TwilioCarrier(account_sid='AC', tokens=('t',), public_url='https://hotline.example');"
        "carrier.prepare();"
        "print({'urllib3', 'twilio.rest.api.v2010.account.call'} <= set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_the_twilio_carrier_is_a_carrier() -> None:
    carrier: Carrier = TwilioCarrier(
        account_sid="AC" + "7" * 32, tokens=("a", "b"), public_url="https://hotline.example"
    )
    assert carrier.name == "twilio"
