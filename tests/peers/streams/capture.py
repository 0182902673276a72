"""What an agent on the official SDK's server answers, byte by byte as it leaves; opens no socket.

`save(directory, name, entrypoint)` runs the entrypoint in a `BedrockAgentCoreApp`, invokes it once and writes the answer's body to
`directory/name.body`; `save_body` writes a body that another server of the framework made.
"""

import asyncio
import json
import pathlib

from bedrock_agentcore.runtime import BedrockAgentCoreApp


async def call(app, path, payload):
    """Sends one POST to an ASGI application and returns the content type and the body of its answer."""
    request = [{"type": "http.request", "body": json.dumps(payload).encode(), "more_body": False}]
    never = asyncio.Event()
    head, body = {}, []

    async def receive():
        if request:
            return request.pop()
        await never.wait()

    async def send(message):
        if message["type"] == "http.response.start":
            head.update({name.decode().lower(): value.decode() for name, value in message["headers"]})
        elif message["type"] == "http.response.body":
            body.append(message.get("body", b""))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"content-type", b"application/json"),
            (b"accept", b"text/event-stream"),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8080),
        "state": {},
    }
    await app(scope, receive, send)
    return head.get("content-type", ""), b"".join(body)


def save(directory, name, entrypoint):
    app = BedrockAgentCoreApp()
    app.entrypoint(entrypoint)
    kind, body = asyncio.run(call(app, "/invocations", {"prompt": "1+2?"}))
    save_body(directory, name, kind, body)


def save_body(directory, name, kind, body):
    path = pathlib.Path(directory) / f"{name}.body"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    print(f"{name}: {kind}, {len(body)} bytes")
