"""Streams of CrewAI, whose model is a script: its chunks, its frames, its events and its output.

usage: python crewai_streams.py DIRECTORY
"""

import os
import sys

os.environ.update(CREWAI_DISABLE_TELEMETRY="true", OTEL_SDK_DISABLED="true", CREWAI_TRACING_ENABLED="false")
os.environ.setdefault("HOME", "/nonexistent")

from crewai import Agent, BaseLLM, Crew, Task
from crewai.events.types.llm_events import LLMCallType
from crewai.flow import HumanFeedbackPending, human_feedback
from crewai.flow.flow import Flow, start
from crewai.tools import tool

from capture import save

CALL = [{"id": "tu1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}]
USED = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14, "cached_prompt_tokens": 3}


class Scripted(BaseLLM):
    ends: str = "well"

    def supports_function_calling(self):
        return True

    def call(self, messages, tools=None, callbacks=None, available_functions=None, from_task=None, from_agent=None,
             response_model=None, **more):
        about = {"from_task": from_task, "from_agent": from_agent}
        with llm_events_of(self, messages, tools, about) as completed:
            if isinstance(messages, list) and any(message.get("role") == "tool" for message in messages) or not tools:
                for piece in ["It is ", "3"]:
                    self._emit_stream_chunk_event(chunk=piece, response_id="r2", **about)
                completed("It is 3", LLMCallType.LLM_CALL)
                return "It is 3"
            self._emit_thinking_chunk_event(chunk="hmm", response_id="r1", **about)
            self._emit_stream_chunk_event(chunk="Let me add é. ", response_id="r1", **about)
            if self.ends == "raise":
                raise RuntimeError("model failed mid-stream")
            for piece in ['{"a": 1,', ' "b": 2}']:
                one = {"id": "tu1", "type": "function", "index": 0, "function": {"name": "add", "arguments": piece}}
                self._emit_stream_chunk_event(
                    chunk=piece, tool_call=one, call_type=LLMCallType.TOOL_CALL, response_id="r1", **about)
            completed(CALL, LLMCallType.TOOL_CALL)
            return CALL


class llm_events_of:
    """The beginning and the end of a call, as CrewAI's own providers tell them."""

    def __init__(self, model, messages, tools, about):
        self.model, self.messages, self.tools, self.about = model, messages, tools, about

    def __enter__(self):
        from crewai.llms.base_llm import llm_call_context

        self.context = llm_call_context()
        self.context.__enter__()
        self.model._emit_call_started_event(messages=self.messages, tools=None, **self.about)
        return self.completed

    def completed(self, response, kind):
        self.model._emit_call_completed_event(response=response, call_type=kind, usage=USED, **self.about)

    def __exit__(self, kind, error, trace):
        if error:
            self.model._emit_call_failed_event(error=str(error), **self.about)
        return self.context.__exit__(kind, error, trace)


@tool("add")
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@tool("add")
def boom(a: int, b: int) -> int:
    """Fails."""
    raise ValueError("no é")


def crew(stream=True, ends="well", tools=(add,)):
    agent = Agent(
        role="adder", goal="add", backstory="none", llm=Scripted(model="scripted", ends=ends), tools=list(tools),
        max_retry_limit=0,
    )
    task = Task(description="1+2?", expected_output="a number", agent=agent, name="sum")
    return Crew(agents=[agent], tasks=[task], stream=stream, tracing=False)


async def chunks(payload):
    streaming = await crew().kickoff_async()
    async for chunk in streaming:
        yield chunk.model_dump(mode="json")
    yield streaming.result.model_dump(mode="json")


async def chunks_as_they_are(payload):
    streaming = await crew().kickoff_async()
    async for chunk in streaming:
        yield chunk


async def chunks_that_fail(payload):
    streaming = await crew(ends="raise").kickoff_async()
    async for chunk in streaming:
        yield chunk.model_dump(mode="json")


async def output(payload):
    return (await crew(stream=False).kickoff_async()).model_dump(mode="json")


async def raw(payload):
    return (await crew(stream=False).kickoff_async()).raw


def frames(channels, ends="well", tools=(add,)):
    class Sum(Flow):
        stream = True

        @start()
        def think(self):
            return crew(stream=False, ends=ends, tools=tools).kickoff().raw

    async def invoke(payload):
        session = Sum(tracing=False).kickoff()
        for frame in session.interleave(channels):
            yield frame.model_dump(mode="json")

    return invoke


class Waits:
    """Asks nobody here: the flow waits for its answer."""

    def request_feedback(self, context, flow):
        raise HumanFeedbackPending(context=context)


async def feedback(payload):
    class Draft(Flow):
        stream = True

        @start()
        @human_feedback(message="Good?", provider=Waits())
        def draft(self):
            return "Hello é"

    for frame in Draft(tracing=False).kickoff().interleave(["flow"]):
        yield frame.model_dump(mode="json")


def main(directory):
    save(directory, "crewai/chunks", chunks)
    save(directory, "crewai/chunks-as-they-are", chunks_as_they_are)
    save(directory, "crewai/chunks-fail", chunks_that_fail)
    save(directory, "crewai/output", output)
    save(directory, "crewai/raw", raw)
    save(directory, "crewai/frames", frames(["llm", "tools"]))
    save(directory, "crewai/frames-fail", frames(["llm", "flow"], "raise"))
    save(directory, "crewai/frames-tool-fails", frames(["tools"], tools=(boom,)))
    save(directory, "crewai/feedback", feedback)


main(sys.argv[1])
