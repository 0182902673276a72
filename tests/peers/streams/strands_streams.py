"""Streams of Strands' graphs and swarms, whose models are scripts, as `stream_async` yields them and as people pass them on.

usage: python strands_streams.py DIRECTORY
"""

import sys

from strands import Agent
from strands.models import Model
from strands.multiagent import GraphBuilder, Swarm

from capture import save


class Scripted(Model):
    def __init__(self, *pieces):
        self.pieces = pieces

    def update_config(self, **more):
        pass

    def get_config(self):
        return {}

    async def structured_output(self, *args, **more):
        raise NotImplementedError

    async def stream(self, messages, *args, **more):
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockStart": {"start": {}}}
        for piece in self.pieces:
            yield {"contentBlockDelta": {"delta": {"text": piece}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn"}}
        yield {"metadata": {"usage": {"inputTokens": 10, "outputTokens": 4, "totalTokens": 14}, "metrics": {"latencyMs": 4}}}


def agent(name, *pieces):
    return Agent(name=name, model=Scripted(*pieces), callback_handler=None)


def graph(parallel):
    builder = GraphBuilder()
    builder.add_node(agent("first", "Hel", "lo"), "first")
    builder.add_node(agent("second", "Hel", "lo"), "second")
    if parallel:
        builder.set_entry_point("first")
        builder.set_entry_point("second")
    else:
        builder.add_edge("first", "second")
        builder.set_entry_point("first")
    return builder.build()


def stream(make, write=lambda event: event):
    async def invoke(payload):
        async for event in make().stream_async(payload["prompt"]):
            if (written := write(event)) is not None:
                yield written

    return invoke


def text(event):
    return event.get("event", {}).get("data") if event.get("type") == "multiagent_node_stream" else None


def main(directory):
    save(directory, "strands/graph", stream(lambda: graph(False)))
    save(directory, "strands/graph-parallel", stream(lambda: graph(True)))
    save(directory, "strands/graph-text", stream(lambda: graph(False), text))
    save(directory, "strands/swarm", stream(lambda: Swarm([agent("first", "Hel", "lo")])))


main(sys.argv[1])
