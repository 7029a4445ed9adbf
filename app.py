"""For `gunicorn app:app`."""

import os

from gateway.factory import application

app = application(os.environ)
