"""An agent on the official SDK's AG-UI server, its events written by AG-UI's own SDK.

usage: python agui_app.py

The first line of output is `ready http://127.0.0.1:PORT`.
POST /invocations with a RunAgentInput. What its last message says chooses the run:
  pieces    chunks without a start or an end, and a model that thinks first
  snapshot  the whole conversation once more at the end
  raise     a failure after everything else
  ask       a run that waits for an approval, and says what its models took
  (other)   a text that ends with these words, a tool, a state
"""

from ag_ui.core import (
    AssistantMessage,
    CustomEvent,
    Interrupt,
    MessagesSnapshotEvent,
    RawEvent,
    ReasoningMessageChunkEvent,
    RunFinishedEvent,
    RunFinishedInterruptOutcome,
    RunStartedEvent,
    StateDeltaEvent,
    StateSnapshotEvent,
    StepFinishedEvent,
    StepStartedEvent,
    TextMessageChunkEvent,
    TextMessageContentEvent,
    TextMessageEndEvent,
    TextMessageStartEvent,
    TokenUsage,
    ToolCallArgsEvent,
    ToolCallEndEvent,
    ToolCallResultEvent,
    ToolCallStartEvent,
)
from bedrock_agentcore.runtime import AGUIApp

from loopback import serve

app = AGUIApp()


def text(pieces):
    yield TextMessageStartEvent(message_id="m1", role="assistant")
    for piece in pieces:
        yield TextMessageContentEvent(message_id="m1", delta=piece)
    yield TextMessageEndEvent(message_id="m1")


def tool():
    yield ToolCallStartEvent(tool_call_id="t1", tool_call_name="search", parent_message_id="m1")
    yield ToolCallArgsEvent(tool_call_id="t1", delta='{"q":"x"}')
    yield ToolCallEndEvent(tool_call_id="t1")
    yield ToolCallResultEvent(message_id="m2", tool_call_id="t1", content="found")


def state():
    yield StateSnapshotEvent(snapshot={"a": 1})
    yield StateDeltaEvent(delta=[{"op": "replace", "path": "/a", "value": 2}])
    yield CustomEvent(name="c", value={"k": "v"})
    yield RawEvent(event={"raw": 1})


def chunks():
    yield ReasoningMessageChunkEvent(message_id="r1", delta="hmm ")
    for piece in ["a", "b", "b"]:
        yield TextMessageChunkEvent(message_id="m1", role="assistant", delta=piece)


def waits():
    approval = Interrupt(id="i1", reason="tool_call", message="May I add é?", response_schema={"type": "string"})
    usage = [TokenUsage(model="a", input_tokens=10, output_tokens=4, cached_input_tokens=2), TokenUsage(input_tokens=1)]
    return {"outcome": RunFinishedInterruptOutcome(interrupts=[approval]), "usage": usage}


@app.entrypoint
async def run(asked):
    said = asked.resume[0].payload if asked.resume else asked.messages[-1].content
    yield RunStartedEvent(thread_id=asked.thread_id, run_id=asked.run_id)
    yield StepStartedEvent(step_name="think")
    if said == "pieces":
        events = [chunks()]
    else:
        events = [text(["Hel", "lo é\n", said]), tool(), state()]
    for event in (event for some in events for event in some):
        yield event
    if said == "snapshot":
        answer = AssistantMessage(id="m1", role="assistant", content=f"Hello é\n{said}")
        yield MessagesSnapshotEvent(messages=[*asked.messages, answer])
    yield StepFinishedEvent(step_name="think")
    if said == "raise":
        raise ValueError("agui boom")
    more = waits() if said == "ask" else {}
    yield RunFinishedEvent(thread_id=asked.thread_id, run_id=asked.run_id, **more)


serve(app)
