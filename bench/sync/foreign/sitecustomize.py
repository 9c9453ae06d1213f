"""Loaded by a peer's interpreter at its start: requests to the real vendors go to the sandbox in BENCH_VENDOR instead.

The peers build `https://api.hubapi.com` and `https://login.salesforce.com` themselves and take no other address.
"""

import contextlib
import os
from urllib.parse import urlsplit, urlunsplit

_TO = os.environ.get("BENCH_VENDOR", "")


def _redirect():
    import requests.adapters

    plain = requests.adapters.HTTPAdapter.send
    target = urlsplit(_TO)

    def send(self, request, **kwargs):
        parts = urlsplit(request.url)
        if parts.netloc != target.netloc and parts.hostname.endswith(("hubapi.com", "salesforce.com")):
            request.url = urlunsplit((target.scheme, target.netloc, parts.path, parts.query, ""))
        elif parts.scheme == "https" and parts.netloc == target.netloc:
            request.url = urlunsplit(("http", target.netloc, parts.path, parts.query, ""))
        return plain(self, request, **kwargs)

    requests.adapters.HTTPAdapter.send = send


if _TO:
    # Tools without requests run in the same environment.
    with contextlib.suppress(ImportError):
        _redirect()
