"""What can go wrong with content and speech: one base error, and what to do next in each name.

ContentError
├── AudioError     bytes that are no sound, or hold none: another file is needed
└── SpeechError    an engine could not say a text: the next engine of the chain may
"""


class ContentError(Exception):
    """Base of everything `prompts` raises on purpose."""


class AudioError(ContentError):
    """Bytes that cannot be read as sound, or a sound with nothing to hear in it."""


class SpeechError(ContentError):
    """An engine could not say a text; nothing was made and nothing is half made."""
