"""Signs again with botocore what was signed elsewhere, and compares: a second opinion on SigV4.

usage: python sigv4_check.py REGION
       python sigv4_check.py REGION socket < OPENING

The credentials are those of the standard AWS environment variables. In the first form it is a server, whose first line of
output is `ready http://127.0.0.1:PORT`. Answers 200 {"verified": true, "signed": [header, ...], "path": PATH} where botocore
arrives at the same signature, 403 AccessDeniedException with the reason where it does not.

In the second form it reads what opens a WebSocket: a presigned URL, or the JSON object {"url", "headers"}. Prints
{"verified": true, "url", "query": {name: value, ...}, "signed": [header, ...]}, the URL without its query and the query without
the signature's own parameters, or ends with 1 and the reason.
"""

import datetime
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import EnvProvider

SERVICE = "bedrock-agentcore"
MUST_BE_SIGNED = {"host", "x-amz-date"}
FRESH = datetime.timedelta(minutes=5)
# botocore knows the ports of these alone; a WebSocket is opened by an HTTP request.
SCHEMES = {"ws": "http", "wss": "https"}
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
    fresh(date)

    request = AWSRequest(method, url, data=body, headers={name: headers[name] for name in signed})
    request.context["timestamp"] = date
    signer = SigV4Auth(credentials, SERVICE, region)
    canonical = signer.canonical_request(request)
    again = signer.signature(signer.string_to_sign(request, canonical), request)
    if again != signature:
        raise ValueError(f"botocore signs otherwise; its canonical request is {canonical!r}")
    return signed


def fresh(date):
    """Reads a timestamp of about now; raises ValueError if it is another."""
    at = datetime.datetime.strptime(date, SIGV4_TIMESTAMP).replace(tzinfo=datetime.timezone.utc)
    if abs(datetime.datetime.now(datetime.timezone.utc) - at) > FRESH:
        raise ValueError(f"x-amz-date {date} is more than {FRESH} away")
    return at


def verify_presigned(url, credentials, region):
    """Has botocore presign the URL at the time that it names; raises ValueError if that is not the same URL in every byte."""
    parts = urlsplit(url)
    parameters = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)
    own = "&".join(f"{quote(name, '')}={quote(value, '')}" for name, value in parameters if not name.startswith("X-Amz-"))
    given = dict(parameters)
    request = AWSRequest("GET", urlunsplit(parts._replace(scheme=SCHEMES[parts.scheme], query=own)))
    signer = SigV4QueryAuth(credentials, SERVICE, region, expires=int(given["X-Amz-Expires"]))
    with mock.patch("botocore.auth.get_current_datetime", return_value=fresh(given["X-Amz-Date"])):
        signer.add_auth(request)
    again = urlunsplit(urlsplit(request.url)._replace(scheme=parts.scheme))
    if again != url:
        raise ValueError(f"botocore signs otherwise: {again}")
    return given["X-Amz-SignedHeaders"].split(";")


def verify_socket(opening, credentials, region):
    """Verifies what opens a WebSocket, by its URL or by its headers."""
    if opening.startswith("{"):
        opening = json.loads(opening)
        url = urlsplit(opening["url"])
        headers = {name.lower(): value for name, value in opening["headers"].items()} | {"host": url.netloc}
        plain = urlunsplit(url._replace(scheme=SCHEMES[url.scheme]))
        signed = verify("GET", plain, headers, b"", credentials, region)
    else:
        url = urlsplit(opening)
        signed = verify_presigned(opening, credentials, region)
    query = {name: value for name, value in parse_qsl(url.query, keep_blank_values=True) if not name.startswith("X-Amz-")}
    bare = urlunsplit(url._replace(query=""))
    return {"verified": True, "url": bare, "query": query, "signed": signed}


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
    region, *form = sys.argv[1:]
    if form:
        try:
            print(json.dumps(verify_socket(sys.stdin.read().strip(), EnvProvider().load(), region)))
        except ValueError as error:
            sys.exit(str(error))
        return
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.credentials = EnvProvider().load()
    server.region = region
    print(f"ready http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
