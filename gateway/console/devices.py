"""Which kind of device a browser runs on, in words its owner recognises; nothing that tells two phones apart."""

from typing import Final

_SYSTEMS: Final = (
    ("iphone", "iPhone"), ("ipad", "iPad"), ("android", "Android"), ("windows", "Windows"),
    ("cros", "ChromeOS"), ("mac os", "Mac"), ("linux", "Linux"),
)  # fmt: skip
_BROWSERS: Final = (
    ("opera mini", "Opera Mini"), ("opr/", "Opera"), ("ucbrowser", "UC"), ("edg", "Edge"),
    ("samsungbrowser", "Samsung"), ("firefox", "Firefox"), ("fxios", "Firefox"), ("chrome", "Chrome"),
    ("crios", "Chrome"), ("safari", "Safari"),
)  # fmt: skip


def device_words(user_agent: str) -> str:
    """Such as "Android · Firefox"; empty where the browser does not say."""
    low = user_agent.lower()
    found = [next((words for sign, words in table if sign in low), "") for table in (_SYSTEMS, _BROWSERS)]
    return " · ".join(words for words in found if words)
