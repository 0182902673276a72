"""Streams of Pydantic AI, whose model is a script: its own events, its text, and its AG-UI and Vercel adapters.

usage: python pydantic_ai_streams.py DIRECTORY
"""

import json
import sys
import warnings

from ag_ui.core import RunAgentInput, UserMessage
from pydantic import TypeAdapter
from pydantic_ai import Agent, AgentStreamEvent, DeferredToolRequests
from pydantic_ai.messages import ModelMessage, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, DeltaThinkingPart, DeltaToolCall, FunctionModel
from pydantic_ai.ui.ag_ui import AGUIAdapter
from pydantic_ai.ui.vercel_ai import VercelAIAdapter
from pydantic_ai.ui.vercel_ai.request_types import SubmitMessage, TextUIPart, UIMessage

from capture import save

ANY = TypeAdapter(AgentStreamEvent)


def answered(messages):
    return any(isinstance(part, ToolReturnPart) for message in messages for part in message.parts)


async def adds(messages: list[ModelMessage], info: AgentInfo):
    if answered(messages):
        yield "It is "
        yield "3"
        return
    yield {0: DeltaThinkingPart(content="hm")}
    yield {0: DeltaThinkingPart(content="m")}
    yield "Let me "
    yield "add é. "
    yield {1: DeltaToolCall(name="add", json_args='{"a": 1,', tool_call_id="tu1")}
    yield {1: DeltaToolCall(json_args=' "b": 2}')}


async def fails(messages: list[ModelMessage], info: AgentInfo):
    yield "Let me "
    raise RuntimeError("model failed mid-stream")


def agent(script=adds):
    it = Agent(FunctionModel(stream_function=script))

    @it.tool_plain
    def add(a: int, b: int) -> int:
        return a + b

    return it


def asking():
    it = Agent(FunctionModel(stream_function=adds), output_type=[str, DeferredToolRequests])

    @it.tool_plain(requires_approval=True)
    def add(a: int, b: int) -> int:
        return a + b

    return it


def retrying():
    it = Agent(FunctionModel(stream_function=adds))

    @it.tool_plain
    def add(a: str, b: list[int]) -> int:
        return 3

    return it


def events(it, write):
    async def invoke(payload):
        async with it.run_stream_events(payload["prompt"]) as stream:
            async for event in stream:
                yield write(event)

    return invoke


async def pieces(payload):
    async with Agent(FunctionModel(stream_function=fails_never)).run_stream(payload["prompt"]) as result:
        async for piece in result.stream_text(delta=True, debounce_by=None):
            yield piece


async def cumulative(payload):
    async with Agent(FunctionModel(stream_function=fails_never)).run_stream(payload["prompt"]) as result:
        async for piece in result.stream_text(debounce_by=None):
            yield piece


async def messages(payload):
    result = await agent_whole().run(payload["prompt"])
    return json.loads(result.new_messages_json())


async def fails_never(messages: list[ModelMessage], info: AgentInfo):
    yield "Hel"
    yield "lo é"


def agent_whole():
    from pydantic_ai.models.test import TestModel

    it = Agent(TestModel(call_tools=["add"]))

    @it.tool_plain
    def add(a: int, b: int) -> int:
        return a + b

    return it


def ag_ui(it):
    async def invoke(payload):
        asked = RunAgentInput(
            thread_id="th1", run_id="r1", state={}, tools=[], context=[], forwarded_props={},
            messages=[UserMessage(id="u1", role="user", content=payload["prompt"])],
        )
        adapter = AGUIAdapter(it, asked)
        async for event in adapter.run_stream():
            yield event.model_dump(mode="json", by_alias=True, exclude_none=True)

    return invoke


def ag_ui_encoded(it):
    async def invoke(payload):
        asked = RunAgentInput(
            thread_id="th1", run_id="r1", state={}, tools=[], context=[], forwarded_props={},
            messages=[UserMessage(id="u1", role="user", content=payload["prompt"])],
        )
        adapter = AGUIAdapter(it, asked)
        async for line in adapter.encode_stream(adapter.run_stream()):
            yield line

    return invoke


def vercel(it, version=6):
    async def invoke(payload):
        message = UIMessage(id="u1", role="user", parts=[TextUIPart(text=payload["prompt"])])
        adapter = VercelAIAdapter(it, SubmitMessage(id="c1", messages=[message]), sdk_version=version)
        async for event in adapter.run_stream():
            yield json.loads(event.encode(version)) if event.encode(version) != "[DONE]" else "[DONE]"

    return invoke


def vercel_encoded(it):
    async def invoke(payload):
        message = UIMessage(id="u1", role="user", parts=[TextUIPart(text=payload["prompt"])])
        adapter = VercelAIAdapter(it, SubmitMessage(id="c1", messages=[message]), sdk_version=6)
        async for line in adapter.encode_stream(adapter.run_stream()):
            yield line

    return invoke


def main(directory):
    dump = lambda event: ANY.dump_python(event, mode="json")
    warnings.simplefilter("ignore")
    save(directory, "pydantic-ai/events", events(agent(), dump))
    save(directory, "pydantic-ai/events-as-they-are", events(agent(), lambda event: event))
    save(directory, "pydantic-ai/events-in-strings", events(agent(), lambda event: ANY.dump_json(event).decode()))
    save(directory, "pydantic-ai/reprs", events(agent(), lambda event: repr(event)))
    save(directory, "pydantic-ai/approval", events(asking(), lambda event: event))
    save(directory, "pydantic-ai/fail", events(agent(fails), dump))
    save(directory, "pydantic-ai/retry", events(retrying(), dump))
    save(directory, "pydantic-ai/pieces", pieces)
    save(directory, "pydantic-ai/cumulative", cumulative)
    save(directory, "pydantic-ai/messages", messages)
    save(directory, "ag-ui/pydantic-ai", ag_ui(agent()))
    save(directory, "ag-ui/pydantic-ai-encoded-twice", ag_ui_encoded(agent()))
    save(directory, "vercel/pydantic-ai", vercel(agent()))
    save(directory, "vercel/pydantic-ai-encoded-twice", vercel_encoded(agent()))
    save(directory, "vercel/pydantic-ai-approval", vercel(asking()))
    save(directory, "vercel/pydantic-ai-fail", vercel(agent(fails)))


main(sys.argv[1])
