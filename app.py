"""For `gunicorn app:app`."""

import os

from gateway.factory import create_app
from gateway.runtime import build_runtime
from gateway.settings import load

app = create_app(build_runtime(load(os.environ)))
