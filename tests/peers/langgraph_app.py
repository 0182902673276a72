"""A LangGraph agent on the official SDK's server; its model is a script, and the rest is LangGraph.

usage: python langgraph_app.py

The first line of output is `ready http://127.0.0.1:PORT`.
POST /invocations with {"prompt", "mode", "fail"}, of which nothing is needed.
The prompt "ask" asks before the tool runs, and waits for the answer, {"command": {"resume"}}, in the session of "sessionId".
The mode is one of `astream`'s or several in a list (the default is "messages"), "events" for `astream_events` or
"whole" for `ainvoke`. The model thinks, calls a tool and says its result; or, if it is to, fails in place of the latter.
"""

from bedrock_agentcore.runtime import BedrockAgentCoreApp
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, ToolMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.memory import MemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, interrupt

from loopback import serve

app = BedrockAgentCoreApp()


@tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


class Scripted(BaseChatModel):
    fail: bool = False

    @property
    def _llm_type(self):
        return "scripted"

    def _stream(self, messages, stop=None, run_manager=None, **options):
        for chunk in self.chunks(messages[-1]):
            generation = ChatGenerationChunk(message=chunk)
            if run_manager:
                run_manager.on_llm_new_token("", chunk=generation)
            yield generation

    def _generate(self, messages, stop=None, run_manager=None, **options):
        first, *others = self.chunks(messages[-1])
        return ChatResult(generations=[ChatGeneration(message=sum(others, first))])

    def chunks(self, last):
        if isinstance(last, ToolMessage):
            if self.fail:
                raise RuntimeError("model failed mid-stream")
            return [texts("It is "), texts(last.content)]
        calls = [call("add", "tu1", ""), call(None, None, '{"a": 1,'), call(None, None, ' "b": 2}')]
        return [thought("hmm "), texts("Let me "), texts("add é. "), *calls]


def texts(text):
    return AIMessageChunk(content=[{"type": "text", "text": text, "index": 1}])


def thought(text):
    block = {"type": "reasoning_content", "reasoning_content": {"text": text, "type": "text"}, "index": 0}
    return AIMessageChunk(content=[block])


def call(name, identity, args):
    return AIMessageChunk(content=[], tool_call_chunks=[tool_call_chunk(name=name, args=args, id=identity, index=0)])


def agent(model, memory):
    async def ask(state):
        return {"messages": []} if interrupt({"question": "May I add é?"}) == "yes" else Command(goto=END)

    async def think(state):
        return {"messages": [await model.ainvoke(state["messages"])]}

    def after(state):
        return ("ask" if memory else "tools") if state["messages"][-1].tool_calls else END

    graph = StateGraph(MessagesState)
    graph.add_node("model", think)
    graph.add_node("tools", ToolNode([add]))
    graph.add_edge(START, "model")
    graph.add_node("ask", ask)
    graph.add_conditional_edges("model", after, ["ask", "tools", END])
    graph.add_edge("ask", "tools")
    graph.add_edge("tools", "model")
    return graph.compile(checkpointer=memory)


memory = MemorySaver()


@app.entrypoint
async def invoke(payload):
    prompt, command = payload.get("prompt", "1+2?"), payload.get("command")
    asks = prompt == "ask" or command is not None
    graph = agent(Scripted(fail=payload.get("fail", False)), memory if asks else None)
    asked = Command(**command) if command else {"messages": [{"role": "user", "content": prompt}]}
    mode = payload.get("mode", ["messages", "updates"] if asks else "messages")
    config = {"configurable": {"thread_id": payload.get("sessionId")}} if asks else None
    if mode == "whole":
        yield await graph.ainvoke(asked, config)
        return
    if mode == "events":
        stream = graph.astream_events(asked, config, version="v2")
    else:
        stream = graph.astream(asked, config, stream_mode=mode)
    async for event in stream:
        yield event


serve(app)
