"""Verifies a webhook of guichet (Standard Webhooks 1.0). Needs nothing but Python.

As a program: the secret as argument, the headers as `name: value` lines, an empty line, then the body, on standard
input. Exits with 0 when the webhook is genuine and fresh.
"""

import base64
import hashlib
import hmac
import sys
import time

TOLERANCE_SECONDS = 5 * 60


def verify(secret: str, headers: dict[str, str], body: bytes, now: float | None = None) -> bool:
    """Whether `body` came from guichet in the last five minutes. `headers` have names in lower case."""
    try:
        message_id = headers["webhook-id"]
        timestamp = headers["webhook-timestamp"]
        signatures = headers["webhook-signature"].split(" ")
        key = base64.b64decode(secret.removeprefix("whsec_"))
        age = (time.time() if now is None else now) - int(timestamp)
    except (KeyError, ValueError):
        return False
    if abs(age) > TOLERANCE_SECONDS:
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    # While a secret is being rotated there are two signatures; one that matches is enough.
    return any(hmac.compare_digest(expected, signature) for signature in signatures)


def main() -> int:
    head, _, body = sys.stdin.buffer.read().partition(b"\n\n")
    lines = head.decode().splitlines()
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return 0 if verify(sys.argv[1], headers, body) else 1


if __name__ == "__main__":
    sys.exit(main())
