"""Streams of AutoGen AgentChat, whose model replays what it was given: an assistant with a tool, a team, and a handoff.

usage: python autogen_streams.py DIRECTORY
"""

import sys

from autogen_agentchat.agents import AssistantAgent, UserProxyAgent
from autogen_agentchat.base import Handoff, TaskResult
from autogen_agentchat.conditions import HandoffTermination, MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import FunctionCall
from autogen_core.models import CreateResult, ModelFamily, RequestUsage

from capture import save

INFO = {
    "vision": False, "function_calling": True, "json_output": False, "family": ModelFamily.UNKNOWN,
    "structured_output": False,
}
USED = RequestUsage(prompt_tokens=10, completion_tokens=4)


def model(*answers):
    from autogen_ext.models.replay import ReplayChatCompletionClient

    return ReplayChatCompletionClient(list(answers), model_info=INFO)


def calls(name="add", arguments='{"a": 1, "b": 2}', thought="Let me add é. "):
    return CreateResult(
        finish_reason="function_calls", content=[FunctionCall(id="tu1", name=name, arguments=arguments)], usage=USED,
        cached=False, thought=thought,
    )


def says(text, in_pieces=True):
    whole = CreateResult(finish_reason="stop", content=text, usage=USED, cached=False)
    return text if in_pieces else whole


async def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


async def boom(a: int, b: int) -> int:
    """Fails."""
    raise ValueError("no é")


def assistant(tool=add, reflect=True, stream=True):
    client = model(calls(tool.__name__), says("It is 3", stream))
    return AssistantAgent(
        "adder", client, tools=[tool], reflect_on_tool_use=reflect, model_client_stream=stream,
    )


def talker(name, text):
    return AssistantAgent(name, model(says(text)), model_client_stream=True)


def stream(make, write):
    async def invoke(payload):
        async for message in make().run_stream(task=payload["prompt"]):
            yield write(message)

    return invoke


def dump(message):
    if isinstance(message, TaskResult):
        return {"stop_reason": message.stop_reason, "messages": [dump(it) for it in message.messages]}
    return message.model_dump(mode="json")



def team():
    talkers = [talker("first", "Hel lo"), talker("second", "Hel lo")]
    return RoundRobinGroupChat(talkers, termination_condition=MaxMessageTermination(3))


def handoff():
    client = model(calls("transfer_to_user", "{}", thought=None))
    asks = AssistantAgent("adder", client, handoffs=[Handoff(target="user", message="May I add é?")])
    return RoundRobinGroupChat([asks], termination_condition=HandoffTermination(target="user"))


def asking():
    asks = UserProxyAgent("human", input_func=lambda prompt: "yes")
    return RoundRobinGroupChat([talker("first", "May I?"), asks], termination_condition=MaxMessageTermination(3))


def broken():
    return AssistantAgent("adder", model(), model_client_stream=True)


def main(directory):
    save(directory, "autogen/messages", stream(assistant, dump))
    save(directory, "autogen/as-they-are", stream(assistant, lambda message: message))
    save(directory, "autogen/strings", stream(lambda: assistant(), text_or_repr))
    save(directory, "autogen/whole", stream(lambda: assistant(stream=False), dump))
    save(directory, "autogen/summary", stream(lambda: assistant(reflect=False), dump))
    save(directory, "autogen/tool-fails", stream(lambda: assistant(boom), dump))
    save(directory, "autogen/team", stream(team, dump))
    save(directory, "autogen/handoff", stream(handoff, dump))
    save(directory, "autogen/asking", stream(asking, dump))
    save(directory, "autogen/fail", stream(broken, dump))


def text_or_repr(message):
    return str(message) if isinstance(message, TaskResult) else message.model_dump_json()


main(sys.argv[1])
