"""Streams of Google's Agent Development Kit, whose model is a script: its events in a BedrockAgentCoreApp, and its own server's.

usage: python google_adk_streams.py DIRECTORY
"""

import asyncio
import os
import sys
import tempfile
import textwrap

from google.adk.agents import LlmAgent, ParallelAgent, SequentialAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models import BaseLlm, LlmResponse
from google.adk.runners import InMemoryRunner
from google.adk.tools import FunctionTool, LongRunningFunctionTool
from google.genai import types

from capture import call, save, save_body

USAGE = types.GenerateContentResponseUsageMetadata(
    prompt_token_count=10, candidates_token_count=4, thoughts_token_count=2, cached_content_token_count=3,
    total_token_count=16,
)


def said(*parts, **more):
    return LlmResponse(content=types.Content(role="model", parts=list(parts)), **more)


def text(words):
    return types.Part(text=words)


def called():
    return types.Part(function_call=types.FunctionCall(id="tu1", name="add", args={"a": 1, "b": 2}))


def results(request):
    return any(part.function_response for content in request.contents for part in content.parts or [])


class Scripted(BaseLlm):
    model: str = "scripted"
    ends: str = "well"

    async def generate_content_async(self, request, stream=False):
        if self.ends == "code":
            yield LlmResponse(error_code="SAFETY", error_message="the answer was blocked")
            return
        if results(request):
            pieces = [text("It is "), text("3")]
        else:
            pieces = [types.Part(text="hm", thought=True), text("Let me "), text("add é. ")]
        if stream:
            for piece in pieces:
                yield said(piece, partial=True)
        if self.ends == "raise":
            raise RuntimeError("model failed mid-stream")
        if results(request):
            yield said(text("It is 3"), usage_metadata=USAGE, turn_complete=None)
        else:
            whole = [pieces[0], text("Let me add é. ")]
            yield said(*whole, *([] if self.ends == "plain" else [called()]), usage_metadata=USAGE)


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


def agent(ends="well", tools=(add,), name="adder"):
    return LlmAgent(name=name, model=Scripted(ends=ends), tools=list(tools))


def events(root, write, streaming=StreamingMode.SSE):
    async def invoke(payload):
        runner = InMemoryRunner(agent=root, app_name="app")
        await runner.session_service.create_session(app_name="app", user_id="u", session_id="s")
        message = types.Content(role="user", parts=[text(payload["prompt"])])
        config = RunConfig(streaming_mode=streaming)
        async for event in runner.run_async(user_id="u", session_id="s", new_message=message, run_config=config):
            yield write(event)

    return invoke


AGENT = """
import sys
sys.path.insert(0, {place!r})
sys.argv = [""]
from google_adk_streams import agent
root_agent = agent({ends!r})
"""


async def run_sse(app_name, ends):
    from google.adk.cli.fast_api import get_fast_api_app

    with tempfile.TemporaryDirectory() as agents:
        os.mkdir(f"{agents}/{app_name}")
        with open(f"{agents}/{app_name}/agent.py", "w") as file:
            file.write(textwrap.dedent(AGENT.format(place=os.path.dirname(os.path.abspath(__file__)), ends=ends)))
        with open(f"{agents}/{app_name}/__init__.py", "w") as file:
            file.write("from . import agent\n")
        app = get_fast_api_app(agents_dir=agents, web=False, session_service_uri="memory://")
        await call(app, f"/apps/{app_name}/users/u/sessions/s", {})
        asked = {
            "app_name": app_name, "user_id": "u", "session_id": "s", "streaming": True,
            "new_message": {"role": "user", "parts": [{"text": "1+2?"}]},
        }
        return await call(app, "/run_sse", asked)


def delete(path: str) -> str:
    """Deletes a file."""
    return "deleted"


def main(directory):
    dump = lambda event: event.model_dump(mode="json")
    compact = lambda event: event.model_dump(mode="json", by_alias=True, exclude_none=True)
    string = lambda event: event.model_dump_json(by_alias=True, exclude_none=True)
    save(directory, "google-adk/dumps", events(agent(), dump))
    save(directory, "google-adk/compact", events(agent(), compact))
    save(directory, "google-adk/as-they-are", events(agent(), lambda event: event))
    save(directory, "google-adk/strings", events(agent(), string))
    save(directory, "google-adk/whole", events(agent(), compact, StreamingMode.NONE))
    save(directory, "google-adk/raise", events(agent("raise"), compact))
    save(directory, "google-adk/code", events(agent("code"), compact))
    slow = LongRunningFunctionTool(func=lambda a, b: None)
    slow.name = "add"
    save(directory, "google-adk/long-running", events(agent(tools=[slow]), compact))
    asks = FunctionTool(add, require_confirmation=True)
    save(directory, "google-adk/confirmation", events(agent(tools=[asks]), compact))
    both = SequentialAgent(name="both", sub_agents=[agent("plain", name="first"), agent("plain", name="second")])
    save(directory, "google-adk/sequence", events(both, compact))
    both = ParallelAgent(name="both", sub_agents=[agent("plain", name="first"), agent("plain", name="second")])
    save(directory, "google-adk/parallel", events(both, compact))
    save_body(directory, "google-adk/run-sse", *asyncio.run(run_sse("adder", "well")))
    save_body(directory, "google-adk/run-sse-raise", *asyncio.run(run_sse("failer", "raise")))


if __name__ == "__main__":
    main(sys.argv[1])
