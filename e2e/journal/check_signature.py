"""Checks a webhook as a receiver does (the recipe of docs/events-and-audit.md): SECRET, the three headers, the body."""
import base64
import hashlib
import hmac
import sys
import time

secret, message_id, timestamp, signatures, body = sys.argv[1:]
if abs(time.time() - int(timestamp)) > 5 * 60:
    sys.exit("too old")
key = base64.b64decode(secret.removeprefix("whsec_"))
expected = hmac.new(key, f"{message_id}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
for signature in signatures.split(" "):
    version, _, value = signature.partition(",")
    if version == "v1" and hmac.compare_digest(base64.b64decode(value), expected):
        print("verified")
        sys.exit(0)
sys.exit("wrong signature")
