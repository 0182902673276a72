"""Streams of LangGraph's server, in memory and on loopback, whose graph's model is a script.

usage: python langgraph_streams.py DIRECTORY
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, ToolMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import interrupt

from capture import save_body


@tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


class Scripted(BaseChatModel):
    @property
    def _llm_type(self):
        return "scripted"

    def _stream(self, messages, stop=None, run_manager=None, **options):
        for chunk in self.chunks(messages[-1]):
            generation = ChatGenerationChunk(message=chunk)
            if run_manager:
                run_manager.on_llm_new_token(chunk.content, chunk=generation)
            yield generation

    def _generate(self, messages, stop=None, run_manager=None, **options):
        first, *others = self.chunks(messages[-1])
        return ChatResult(generations=[ChatGeneration(message=sum(others, first))])

    def chunks(self, last):
        if isinstance(last, ToolMessage):
            used = {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14}
            return [AIMessageChunk(content="It is "), AIMessageChunk(content=last.content, usage_metadata=used)]
        if last.content == "fail":
            raise RuntimeError("the model failed")
        calls = [("add", "tu1", '{"a": 1,'), (None, None, ' "b": 2}')]
        chunks = [tool_call_chunk(name=name, args=args, id=identity, index=0) for name, identity, args in calls]
        return [AIMessageChunk(content="Let me "), AIMessageChunk(content="add é. "),
                *(AIMessageChunk(content="", tool_call_chunks=[chunk]) for chunk in chunks)]


def think(state):
    if state["messages"][-1].content == "ask":
        interrupt({"question": "May I add é?"})
    return {"messages": [Scripted().invoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("model", think)
builder.add_node("tools", ToolNode([add]))
builder.add_edge(START, "model")
builder.add_conditional_edges("model", lambda state: "tools" if state["messages"][-1].tool_calls else END, ["tools", END])
builder.add_edge("tools", "model")
graph = builder.compile()


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def post(url, payload):
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url, json.dumps(payload).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.headers["content-type"], answer.read()


def run(directory, url, name, said, *modes):
    asked = {"assistant_id": "agent", "input": {"messages": [{"role": "user", "content": said}]}, "stream_mode": list(modes)}
    save_body(directory, f"langgraph/{name}", *post(f"{url}/runs/stream", asked))


def main(directory):
    directory = os.path.abspath(directory)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    here = os.path.abspath(__file__)
    start = (
        "from langgraph_api.cli import run_server; "
        f"run_server(port={port}, graphs={{'agent': {here + ':graph'!r}}}, disable_persistence=True, allow_blocking=True)"
    )
    with tempfile.TemporaryDirectory() as place:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": place}
        paths = {**os.environ, "PYTHONPATH": os.path.dirname(here), "LANGSMITH_TRACING": "false"}
        server = subprocess.Popen([sys.executable, "-c", start], env=paths, **quiet)
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"{url}/ok", timeout=1).read()
                    break
                except (urllib.error.URLError, OSError):
                    time.sleep(0.1)
            run(directory, url, "server-messages", "1+2?", "messages")
            run(directory, url, "server-values", "1+2?", "values")
            run(directory, url, "server-tuples", "1+2?", "messages-tuple", "updates")
            run(directory, url, "server-events", "1+2?", "events")
            run(directory, url, "server-ask", "ask", "values")
            run(directory, url, "server-fail", "fail", "messages-tuple")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main(sys.argv[1])
