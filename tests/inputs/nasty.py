"""What has broken programs before, and bytes that nobody thought of."""

from hypothesis import strategies as st

_TEXTS = [
    "", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "\U0010ffff", "\ufeff", "\u202eabc", "\x1b[31m", "\x7f\x80\xff",
    "x" * 5_000, "က" * 3_000, "e\u0301" * 200, "9" * 5_000, "0", "-1", "1_000", "+5", " 5 ", "5\n", "0x10", "1e309",
    "NaN", "Infinity", "²", "½", "①", "၁၁", "٣", "ဝ၉", "9" * 19, "9" * 11, "2147483648", "true", "null", "[]", "{}",
    "{{7*7}}", "%s%n", "%(x)s", "{0.__class__}", "../../etc/passwd", "..\\", "/", "//[x", "http://[", "?", "#", "::",
    "\r\nSet-Cookie: a=b", "'\"<script>", "';--", "2026-02-30", "2026-13-01T99:99", "0000-00-00", "9999-12-31",
    "10000-01-01", "0001-01-01", "0001-01-01T00:00", "9999-12-31T23:59", "24:00", "00:00", "23:59", "2026-W01-1",
    "+95979000100", "+999", "09 790 001 002", "sip:a@b", "a" * 24, "0" * 24, "f" * 64, "==", "AAAA", "my", "en", "hour",
    '{"a":' * 3_000, "[" * 5_000, "endpoint", "_external", "ABCD-EFGH-JKLM", "123456", "1234567890",
]  # fmt: skip


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


VALUES = st.one_of(
    st.sampled_from([_raw(text) for text in _TEXTS]),
    st.text(max_size=12).map(_raw),
    st.binary(max_size=12),
)
KINDS = st.sampled_from([
    "", "text/plain", "application/json", "multipart/form-data", "multipart/form-data; boundary=", "\xff/\0",
    "application/x-www-form-urlencoded; charset=utf-16", "text/xml", "application/x-www-form-urlencoded;;=",
    "multipart/form-data; boundary=" + "b" * 300, "multipart/mixed; boundary=edge",
])  # fmt: skip
LENGTHS = st.sampled_from(["", "-1", "0", "1", "x", "9" * 30, "1e3", "٣", "70000000"])
HEADERS = st.dictionaries(
    st.sampled_from([
        "HTTP_COOKIE", "HTTP_RANGE", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_RANGE", "HTTP_ACCEPT",
        "HTTP_ACCEPT_LANGUAGE", "HTTP_ACCEPT_ENCODING", "HTTP_USER_AGENT", "HTTP_ORIGIN", "HTTP_REFERER", "HTTP_HOST",
        "HTTP_AUTHORIZATION", "HTTP_X_FORWARDED_FOR", "HTTP_X_TWILIO_SIGNATURE", "HTTP_SEC_FETCH_SITE",
        "HTTP_TRANSFER_ENCODING", "HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_LAST_EVENT_ID", "REMOTE_ADDR",
        "HTTP_X_TWILIO_WEBHOOKS_SIGNATURE_SETTINGS", "HTTP_X_SIMULATOR_TOKEN",
    ]),
    st.one_of(
        st.sampled_from([
            "", "bytes=0-", "bytes=-1", "bytes=5-2", "bytes=0-0,2-3,9-", "bytes=99999999999999-", "*/*;q=x", "null",
            "en;q=2", "gzip;q=", "http://[", "//[x]:99999", "Basic", "Basic =", "Basic w7/Dvzo=", "Bearer", "notes=",
            "notes=.eJw; visitor=\xff", "a:b:c, d", "::1, ::g", 'W/"x', "Mon, 99 Foo 2026", "key=a,key=b", "[::1",
            "x" * 9_000, "unknown", "none", "\xe1\x80\x80",
        ]),
        st.binary(max_size=20).map(lambda raw: raw.decode("latin-1")),
    ),
    min_size=1,
    max_size=3,
)  # fmt: skip
