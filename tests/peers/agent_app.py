"""A local agent on the official bedrock-agentcore Python SDK; nothing of this project is on its side of the socket.

usage: python agent_app.py

The first line of output is `ready http://127.0.0.1:PORT`.
POST /invocations with {"mode": MODE, ...}, where MODE is one of
  echo (the default), text, none, number, unicode, bytes, obj, headers, big, slow,
  stream, stream_str, stream_mixed, stream_empty, stream_slow, stream_raise, stream_raise_first, stream_raise_text,
  stream_sync, stream_nl, stream_big, stream_done,
  raise, http404, http503, resp_text, resp_bin, resp_sse_custom
GET /ping
GET /ws, a WebSocket: a greeting in JSON that tells of the handshake, then "echo:" and the text for every text but
  bytes (two bytes are sent), raise, close:CODE:REASON
A session whose id begins with "refuse-" gets none.
"""

import asyncio
import time
from dataclasses import dataclass

from bedrock_agentcore.runtime import BedrockAgentCoreApp
from bedrock_agentcore.runtime.context import BedrockAgentCoreContext
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response, StreamingResponse

app = BedrockAgentCoreApp()

# What the service selects of the subprotocols that a browser offers; the token is in the name of the other.
BEARER = "base64UrlBearerAuthorization"


@dataclass
class Thing:
    a: int
    b: str


MIXED = [
    1, None, True, "s", ["l", 1], {"k": "v"}, b"\xff\x00", Thing(1, "x"), {1}, float("nan"), "é😀\u2028",
]

# Everything that a careless server may send: a comment, an event split between two writes, a byte order mark in the
# middle, a field without a space, one without a colon, and an end without a blank line.
SSE_FIRST = b": comment\n\nevent: start\nid: 1\nretry: 100\ndata: {\"a\":1}\n\n"
SSE_SECOND = b"data: line1\ndata: line2\r\n\r\ndata: {\"spl"
SSE_THIRD = (
    b"it\": true}\n\n\xef\xbb\xbfdata: bom-mid\n\ndata:nospace\n\ndata\n\n"
    b"event: done\ndata: [DONE]\n\ndata: unterminated"
)


async def stream(payload):
    mode = payload["mode"]
    if mode == "stream":
        for i in range(int(payload.get("n", 3))):
            yield {"event": {"i": i, "text": f"chunk {i}"}}
    elif mode == "stream_str":
        for text in ["Hello", " world", "!"]:
            yield text
    elif mode == "stream_mixed":
        for item in MIXED:
            yield item
    elif mode == "stream_empty":
        return
    elif mode == "stream_slow":
        for i in range(int(payload.get("n", 5))):
            await asyncio.sleep(float(payload.get("delay", 0.5)))
            yield {"i": i, "t": time.time()}
    elif mode == "stream_raise":
        yield {"i": 0}
        yield {"i": 1}
        raise ValueError("boom mid-stream\nsecond line \"quoted\" é")
    elif mode == "stream_raise_first":
        raise KeyError("first")
        yield  # unreachable: it makes this branch part of a generator that fails before its first item
    elif mode == "stream_raise_text":
        yield "Hello"
        yield " world"
        raise ValueError("boom after text")
    elif mode == "stream_nl":
        yield "line1\nline2\r\nline3\rend"
        yield {"data": "a\n\ndata: injected\n\n"}
    elif mode == "stream_big":
        yield "x" * int(payload.get("size", 1_000_000))
        yield "after"
    elif mode == "stream_done":
        yield {"i": 0}
        yield "[DONE]"
    else:
        raise ValueError(f"unknown mode {mode}")


def stream_sync(payload):
    yield {"i": 0}
    yield {"i": 1}
    if payload.get("raise"):
        raise RuntimeError("sync boom")


async def odd_sse():
    yield SSE_FIRST
    yield SSE_SECOND
    # The pause makes the two halves of the split event arrive as two chunks.
    await asyncio.sleep(0.1)
    yield SSE_THIRD


@app.entrypoint
async def invoke(payload, context):
    mode = payload.get("mode", "echo") if isinstance(payload, dict) else "echo"
    if mode == "stream_sync":
        return stream_sync(payload)
    if mode.startswith("stream"):
        return stream(payload)
    match mode:
        case "echo":
            return {"echo": payload, "session_id": context.session_id}
        case "headers":
            return {
                "session_id": context.session_id,
                "forwarded": context.request_headers,
                "raw": [[name.decode(), value.decode("latin-1")] for name, value in context.request.scope["headers"]],
                "request_id": BedrockAgentCoreContext.get_request_id(),
                "query": context.request.scope["query_string"].decode(),
            }
        case "text":
            return "plain string result"
        case "none":
            return None
        case "number":
            return 42
        case "unicode":
            return {"s": "é😀\u2028\"\\\n"}
        case "bytes":
            return b"\xff\x00\x01"
        case "obj":
            return Thing(1, "x")
        case "big":
            return {"x": "y" * int(payload.get("size", 1_000_000))}
        case "slow":
            await asyncio.sleep(float(payload.get("delay", 2)))
            return {"slept": payload.get("delay", 2)}
        case "raise":
            raise ValueError("entrypoint boom é \"q\"\nnl")
        case "http404":
            raise HTTPException(404, detail="no such thing")
        case "http503":
            raise HTTPException(503, detail={"code": "x"})
        case "resp_text":
            return PlainTextResponse("just text", status_code=202)
        case "resp_bin":
            return Response(bytes(range(256)), media_type="application/octet-stream")
        case "resp_sse_custom":
            return StreamingResponse(odd_sse(), media_type="text/event-stream", headers={"X-Custom": "1"})
    raise ValueError(f"unknown mode {mode}")


@app.websocket
async def talk(websocket, context):
    if (context.session_id or "").startswith("refuse-"):
        # Before the handshake is accepted this refuses it, with 403.
        await websocket.close()
        return
    offered = websocket.scope["subprotocols"]
    await websocket.accept(subprotocol=BEARER if BEARER in offered else None)
    await websocket.send_json({
        "session_id": context.session_id,
        "forwarded": context.request_headers,
        "path": websocket.scope["path"],
        "query": websocket.scope["query_string"].decode(),
        "subprotocols": len(offered),
    })
    async for text in websocket.iter_text():
        match text.split(":", 2):
            case ["bytes"]:
                await websocket.send_bytes(b"\x00\xff")
            case ["raise"]:
                raise ValueError("boom over the socket")
            case ["close", code, reason]:
                await websocket.close(int(code), reason)
                return
            case _:
                await websocket.send_text(f"echo:{text}")


if __name__ == "__main__":
    from loopback import serve

    serve(app)
