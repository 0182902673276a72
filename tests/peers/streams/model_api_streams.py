"""Streams of models' APIs that an agent passes on, by the packages of OpenAI and Anthropic: the events as they are, and those that
the packages' helpers add. The wire behind them is a script, after the APIs' references.

usage: python model_api_streams.py DIRECTORY
"""

import json
import sys

import anthropic
import httpx
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from capture import save

HEAD = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "scripted"}


def chunk(delta, finish=None, **more):
    return {**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def call(arguments, **more):
    return {"tool_calls": [{"index": 0, "function": {"arguments": arguments, **more.pop("function", {})}, **more}]}


CHAT = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Let me "}),
    chunk({"content": "add é. "}),
    chunk(call("", id="tu1", type="function", function={"name": "add"})),
    chunk(call('{"a": 1,')),
    chunk(call(' "b": 2}')),
    chunk({}, "tool_calls"),
    {**HEAD, "choices": [], "usage": {
        "prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14, "prompt_tokens_details": {"cached_tokens": 3}}},
]

MESSAGE = {"id": "m1", "type": "message", "role": "assistant", "model": "scripted", "content": [], "stop_reason": None,
           "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 3}}
ANTHROPIC = [
    {"type": "message_start", "message": MESSAGE},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hmm"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "x"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "ping"},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Let me "}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "add é. "}},
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "tu1", "name": "add", "input": {}}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"a": 1,'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ' "b": 2}'}},
    {"type": "content_block_stop", "index": 2},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
]

OUTPUT = {"id": "i1", "type": "message", "role": "assistant", "status": "completed",
          "content": [{"type": "output_text", "text": "Hello é", "annotations": []}]}
RESPONSE = {"id": "r1", "object": "response", "created_at": 1, "model": "scripted", "status": "in_progress", "output": [],
            "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None,
            "instructions": None, "metadata": {}, "temperature": 1, "top_p": 1}
USED = {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 3}, "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 14}
AT = {"item_id": "i1", "output_index": 0, "content_index": 0}
RESPONSES = [
    {"type": "response.created", "response": RESPONSE},
    {"type": "response.output_item.added", "output_index": 0, "item": {**OUTPUT, "status": "in_progress", "content": []}},
    {"type": "response.output_text.delta", **AT, "delta": "Hel", "logprobs": []},
    {"type": "response.output_text.delta", **AT, "delta": "lo é", "logprobs": []},
    {"type": "response.output_text.done", **AT, "text": "Hello é", "logprobs": []},
    {"type": "response.output_item.done", "output_index": 0, "item": OUTPUT},
    {"type": "response.completed", "response": {**RESPONSE, "status": "completed", "output": [OUTPUT], "usage": USED}},
]


def wire(events, named, http=httpx):
    def line(number, event):
        name = f"event: {event['type']}\n" if named else ""
        event = {**event, "sequence_number": number} if event.get("type", "").startswith("response.") else event
        return f"{name}data: {json.dumps(event)}\n\n"

    body = "".join(line(number, event) for number, event in enumerate(events)) + ("" if named else "data: [DONE]\n\n")
    answer = http.Response(200, headers={"content-type": "text/event-stream"}, content=body.encode())
    return http.AsyncClient(transport=http.MockTransport(lambda request: answer))


def openai(events, named=False):
    return AsyncOpenAI(api_key="none", base_url="http://127.0.0.1/v1", http_client=wire(events, named))


def claude(events):
    # Newer versions stand on a fork of httpx.
    http = getattr(anthropic._base_client, "httpx2", None) or httpx
    return AsyncAnthropic(api_key="none", base_url="http://127.0.0.1", http_client=wire(events, True, http))


ASKED = [{"role": "user", "content": "1+2?"}]


def chat(write):
    async def invoke(payload):
        async for event in await openai(CHAT).chat.completions.create(model="scripted", messages=ASKED, stream=True):
            yield write(event)

    return invoke


async def chat_helper(payload):
    async with openai(CHAT).chat.completions.stream(model="scripted", messages=ASKED) as stream:
        async for event in stream:
            yield event.model_dump(mode="json")


async def responses(payload):
    async for event in await openai(RESPONSES, True).responses.create(model="scripted", input="1+2?", stream=True):
        yield event.model_dump(mode="json")


async def messages(payload):
    create = claude(ANTHROPIC).messages.create
    async for event in await create(model="scripted", max_tokens=9, messages=ASKED, stream=True):
        yield event.model_dump(mode="json")


async def messages_helper(payload):
    async with claude(ANTHROPIC).messages.stream(model="scripted", max_tokens=9, messages=ASKED) as stream:
        async for event in stream:
            yield event.model_dump(mode="json")


def main(directory):
    save(directory, "openai/chunks", chat(lambda event: event.model_dump(mode="json")))
    save(directory, "openai/chunks-in-strings", chat(lambda event: event.model_dump_json()))
    save(directory, "openai/chunks-encoded-twice", chat(lambda event: f"data: {event.model_dump_json(exclude_none=True)}\n\n"))
    save(directory, "openai/helper", chat_helper)
    save(directory, "openai/responses", responses)
    save(directory, "anthropic/messages", messages)
    save(directory, "anthropic/helper", messages_helper)


main(sys.argv[1])
