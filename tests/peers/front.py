"""The local agent behind the managed service's paths, its bearer tokens verified by joserfc.

usage: python front.py [--jwks URL [--iss ISSUER] [--aud AUDIENCE]]

The first line of output is `ready http://127.0.0.1:PORT`.
Serves /runtimes/{ARN, percent-encoded}/invocations, /ws and /ping over `agent_app`, adds the session id header to every
answer as the service does and, with --jwks, refuses a token that is not signed by a key of that set (RS256), has no
`exp`, has expired, or names another issuer or audience: 401 with an UnauthorizedException. A handshake may bring its token
in a subprotocol, as a browser's does.
"""

import argparse
import base64
import json
import urllib.request
import uuid

from joserfc import jwk, jwt
from joserfc.errors import JoseError
from starlette.applications import Starlette
from starlette.routing import Mount

import agent_app
from loopback import serve

SESSION = b"x-amzn-bedrock-agentcore-runtime-session-id"

# What ASGI calls the HTTP answer to each kind of request.
ANSWERS = {"http": "http.response", "websocket": "websocket.http.response"}


class Gate:
    """Stands before the application: verifies the bearer token, answers with the session id."""

    def __init__(self, app, options):
        self.app = app
        self.options = options

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ANSWERS:
            return await self.app(scope, receive, send)
        fault = self.fault(bearer_token(scope))
        if fault:
            return await refuse(send, ANSWERS[scope["type"]], fault)
        session = dict(scope["headers"]).get(SESSION) or str(uuid.uuid4()).encode()

        async def with_session(message):
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), (SESSION, session)]}
            await send(message)

        await self.app(scope, receive, with_session)

    def fault(self, token):
        """Says what is wrong with the credentials, or None."""
        if not self.options.jwks:
            return None
        if not token:
            return "no bearer token"
        claims = {"exp": {"essential": True}}
        if self.options.iss:
            claims["iss"] = {"essential": True, "value": self.options.iss}
        if self.options.aud:
            claims["aud"] = {"essential": True, "value": self.options.aud}
        try:
            with urllib.request.urlopen(self.options.jwks) as reply:
                keys = jwk.KeySet.import_key_set(json.load(reply))
            jwt.JWTClaimsRegistry(**claims).validate(jwt.decode(token, keys, algorithms=["RS256"]).claims)
        except (JoseError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        return None


def bearer_token(scope):
    """The token in the header or in a subprotocol's name, or None."""
    scheme, _, token = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme == "Bearer":
        return token
    for protocol in scope.get("subprotocols", []):
        name, _, encoded = protocol.partition(".")
        if name == agent_app.BEARER and encoded:
            return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    return None


async def refuse(send, answer, message):
    headers = [
        (b"content-type", b"application/json"),
        (b"x-amzn-errortype", b"UnauthorizedException"),
        (b"www-authenticate", b"Bearer"),
    ]
    await send({"type": f"{answer}.start", "status": 401, "headers": headers})
    await send({"type": f"{answer}.body", "body": json.dumps({"message": message}).encode()})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jwks")
    parser.add_argument("--iss")
    parser.add_argument("--aud")
    routes = [Mount("/runtimes/{arn:path}", agent_app.app), Mount("/", agent_app.app)]
    serve(Gate(Starlette(routes=routes), parser.parse_args()))


if __name__ == "__main__":
    main()
