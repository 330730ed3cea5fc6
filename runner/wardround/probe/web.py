"""HTTP and TLS: a page with its status, and how long the certificate that was shown is still good."""

from __future__ import annotations

import http.client
import ssl
from datetime import UTC, datetime

from wardround.probe.answer import Reply


def fetch(port: int, host: str, path: str, expected: int, seconds: float) -> Reply:
    """Ask for a path and compare the status; the relay has spoken TLS already."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path, headers={"Host": host})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as failed:
        return Reply(good=False, words=f"no answer to GET {path}: {type(failed).__name__} {failed}")
    finally:
        connection.close()
    return Reply(good=status == expected, words=f"GET {path} gave {status}")


def handshake(tls: str, expires: str, now: datetime, minimum_days: int) -> Reply:
    """Judge a TLS handshake by its version and the certificate's last day (`notAfter` as OpenSSL writes it)."""
    if not tls:
        return Reply(good=False, words="the connection has no TLS")
    left = (datetime.fromtimestamp(ssl.cert_time_to_seconds(expires), UTC) - now).days
    return Reply(good=left >= minimum_days, words=f"{tls}, certificate good for {left} days")
