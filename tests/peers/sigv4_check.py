"""A server that signs every request again with botocore and compares: a second opinion on SigV4 header signing.

usage: python sigv4_check.py REGION

The credentials are those of the standard AWS environment variables. The first line of output is `ready http://127.0.0.1:PORT`.
Answers 200 {"verified": true, "signed": [header, ...], "path": PATH} where botocore arrives at the same signature,
403 AccessDeniedException with the reason where it does not.
"""

import datetime
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import EnvProvider

SERVICE = "bedrock-agentcore"
MUST_BE_SIGNED = {"host", "x-amz-date"}
FRESH = datetime.timedelta(minutes=5)
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})"
)


def verify(method, url, headers, body, credentials, region):
    """Returns the names of the signed headers; raises ValueError with the reason of a refusal."""
    match = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not match:
        raise ValueError("no SigV4 authorization header")
    key, day, its_region, service, names, signature = match.groups()
    date = headers.get("x-amz-date", "")
    signed = names.split(";")
    expected = (credentials.access_key, date[:8], region, SERVICE)
    if (key, day, its_region, service) != expected:
        raise ValueError(f"credential scope {(key, day, its_region, service)}, expected {expected}")
    if headers.get("x-amz-security-token") != credentials.token:
        raise ValueError("the session token is missing or another one")
    if not MUST_BE_SIGNED.issubset(signed):
        raise ValueError(f"signed headers {names} lack one of {sorted(MUST_BE_SIGNED)}")
    unsigned = [name for name in headers if name.startswith("x-amz") and name not in signed]
    if unsigned:
        raise ValueError(f"unsigned headers: {unsigned}")
    at = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    if abs(datetime.datetime.now(datetime.timezone.utc) - at) > FRESH:
        raise ValueError(f"x-amz-date {date} is more than {FRESH} away")

    request = AWSRequest(method, url, data=body, headers={name: headers[name] for name in signed})
    request.context["timestamp"] = date
    signer = SigV4Auth(credentials, SERVICE, region)
    canonical = signer.canonical_request(request)
    again = signer.signature(signer.string_to_sign(request, canonical), request)
    if again != signature:
        raise ValueError(f"botocore signs otherwise; its canonical request is {canonical!r}")
    return signed


class Handler(BaseHTTPRequestHandler):
    """Answers every POST; the server carries the credentials and the region."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value.strip() for name, value in self.headers.items()}
        url = f"http://{headers['host']}{self.path}"
        try:
            signed = verify("POST", url, headers, body, self.server.credentials, self.server.region)
        except ValueError as error:
            self.reply(403, {"message": str(error)}, {"x-amzn-ErrorType": "AccessDeniedException"})
        else:
            self.reply(200, {"verified": True, "signed": signed, "path": self.path}, {})

    def reply(self, status, value, headers):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Keeps quiet: the caller prints the answers."""


def main():
    (region,) = sys.argv[1:]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.credentials = EnvProvider().load()
    server.region = region
    print(f"ready http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
