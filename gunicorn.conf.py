"""What a bare `gunicorn app:app` in this folder finds."""

from gateway.serving import *  # noqa: F403 - gunicorn reads its settings as names of this file
