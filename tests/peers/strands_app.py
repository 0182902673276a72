"""A Strands agent on the official SDK's server; its model is a script, and the rest is Strands.

usage: python strands_app.py

The first line of output is `ready http://127.0.0.1:PORT`.
POST /invocations with {"prompt", "mode", "script"}, of which nothing is needed.
The mode chooses what is passed on:
  raw (the default)  every event, those that are no JSON as Python reprs
  clean              the model's events
  text               the text's pieces, as strings
  whole              the result alone
The prompt "ask" has a hook ask before the tool runs; the agent waits for the answer in the session of "sessionId".
The model calls a tool and says its result, unless the script is
  think              thoughts and then an answer
  fail               as usual, until the model fails
"""

from bedrock_agentcore.runtime import BedrockAgentCoreApp
from strands import Agent, tool
from strands.hooks import BeforeToolCallEvent, HookProvider
from strands.models.model import Model

from loopback import serve

app = BedrockAgentCoreApp()


@tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


class Approval(HookProvider):
    def register_hooks(self, registry, **options):
        registry.add_callback(BeforeToolCallEvent, self.ask)

    def ask(self, event):
        if event.interrupt("approve", reason={"question": "May I add é?"}) != "yes":
            event.cancel_tool = "it was not approved"


class Scripted(Model):
    """Emits what Bedrock's Converse API would."""

    def __init__(self, script):
        self.script = script

    def update_config(self, **config):
        pass

    def get_config(self):
        return {"model_id": "scripted"}

    def structured_output(self, *args, **options):
        raise NotImplementedError

    async def stream(self, messages, *args, **options):
        yield {"messageStart": {"role": "assistant"}}
        results = [block["toolResult"] for block in messages[-1]["content"] if "toolResult" in block]
        if results and self.script == "fail":
            raise RuntimeError("model failed mid-stream")
        if self.script == "think":
            blocks, reason = [thoughts("I think ", "so."), texts("Hello ", "there")], "end_turn"
        elif results:
            blocks, reason = [texts("It is ", results[0]["content"][0]["text"])], "end_turn"
        else:
            blocks, reason = [texts("Let me ", "add é. "), call('{"a": 1,', ' "b": 2}')], "tool_use"
        for event in (event for block in blocks for event in block):
            yield event
        yield {"messageStop": {"stopReason": reason}}
        usage = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}
        yield {"metadata": {"usage": usage, "metrics": {"latencyMs": 4}}}


def texts(*pieces):
    return [*(delta({"text": piece}) for piece in pieces), {"contentBlockStop": {}}]


def thoughts(*pieces):
    return [*(delta({"reasoningContent": {"text": piece}}) for piece in pieces), {"contentBlockStop": {}}]


def call(*pieces):
    start = {"contentBlockStart": {"start": {"toolUse": {"toolUseId": "tu1", "name": "add"}}}}
    return [start, *(delta({"toolUse": {"input": piece}}) for piece in pieces), {"contentBlockStop": {}}]


def delta(content):
    return {"contentBlockDelta": {"delta": content}}


waiting = {}


@app.entrypoint
async def invoke(payload):
    prompt, mode = payload.get("prompt", "1+2?"), payload.get("mode", "raw")
    session = payload.get("sessionId")
    if isinstance(prompt, list):
        agent = waiting.pop(session)
    else:
        hooks = [Approval()] if prompt == "ask" else []
        agent = Agent(model=Scripted(payload.get("script")), tools=[add], hooks=hooks, callback_handler=None)
        waiting[session] = agent
    if mode == "whole":
        yield (await agent.invoke_async(prompt)).to_dict()
        return
    async for event in agent.stream_async(prompt):
        if mode == "raw":
            yield event
        elif mode == "text" and "data" in event:
            yield event["data"]
        elif mode == "clean" and "event" in event:
            yield {"event": event["event"]}


serve(app)
