"""The local agent behind the managed service's paths, its bearer tokens verified by joserfc.

usage: python front.py [--agent agent|a2a|mcp|mcp-stateful] [--jwks URL [--iss ISSUER] [--aud AUDIENCE]]

The first line of output is `ready http://127.0.0.1:PORT`.
Serves /runtimes/{ARN, percent-encoded}/invocations, /ws and /ping over `agent_app`, or the invocations of another agent; adds the
session id header to every answer as the service does, ends a session of a stateful MCP server at /stopruntimesession and, with --jwks, refuses a token that is not signed by a key of that set (RS256), has no
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

from loopback import serve

BEARER = "base64UrlBearerAuthorization"
MCP_SESSION = b"mcp-session-id"
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
        session = dict(scope["headers"]).get(SESSION)
        if not session:
            session = str(uuid.uuid4()).encode()
            scope = {**scope, "headers": [*scope["headers"], (SESSION, session)]}

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
        if name == BEARER and encoded:
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
    parser.add_argument("--agent", default="agent")
    options = parser.parse_args()
    serve(Gate(agent(options.agent), options))


def agent(name):
    """The application that answers behind the gate."""
    if name == "agent":
        import agent_app

        return Starlette(routes=[Mount("/runtimes/{arn:path}", agent_app.app), Mount("/", agent_app.app)])
    if name == "a2a":
        import a2a_app

        return Invocations(a2a_app.app)
    import mcp_app

    return Invocations(mcp_app.app(stateless=name == "mcp"))


class Invocations:
    """Takes what comes to a runtime's invocations to the agent, and ends its MCP session with the runtime's."""

    def __init__(self, app):
        self.app = app
        self.sessions = {}

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        runtime = dict(scope["headers"]).get(SESSION)
        if scope["path"].endswith("/stopruntimesession"):
            return await self.stop(scope, receive, send, self.sessions.pop(runtime, None))

        async def with_mcp_session(message):
            if message["type"] == "http.response.start":
                answered = dict(message.get("headers", []))
                if MCP_SESSION in answered:
                    self.sessions[runtime] = answered[MCP_SESSION]
            await send(message)

        await self.app({**scope, "path": "/invocations", "raw_path": b"/invocations"}, receive, with_mcp_session)

    async def stop(self, scope, receive, send, session):
        async def unseen(message):
            pass

        if session:
            host = dict(scope["headers"])[b"host"]
            headers = [(b"host", host), (b"accept", b"application/json"), (MCP_SESSION, session)]
            ended = {**scope, "method": "DELETE", "path": "/invocations", "raw_path": b"/invocations", "headers": headers}
            await self.app(ended, receive, unseen)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})


if __name__ == "__main__":
    main()
