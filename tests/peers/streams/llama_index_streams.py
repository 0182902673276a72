"""Streams of LlamaIndex's adapter for AgentCore Runtime, whose model is a script.

usage: python llama_index_streams.py DIRECTORY
"""

import asyncio
import sys

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, LLMMetadata, MessageRole
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools import FunctionTool
from llama_index.tools.aws_bedrock_agentcore import AgentCoreRuntime

from capture import call, save_body


class Scripted(FunctionCallingLLM):
    fails: bool = False

    @property
    def metadata(self):
        return LLMMetadata(is_function_calling_model=True, model_name="scripted")

    def _prepare_chat_with_tools(self, tools, user_msg=None, chat_history=None, **more):
        return {"messages": [*(chat_history or []), *([user_msg] if user_msg else [])]}

    async def astream_chat_with_tools(self, tools, user_msg=None, chat_history=None, **more):
        return self.pieces(chat_history or [])

    async def astream_chat(self, messages, **more):
        return self.pieces(messages)

    async def pieces(self, messages):
        answered = any(message.role == MessageRole.TOOL for message in messages)
        said = ""
        if not answered:
            yield self.piece("", "", thinking="hmm")
        for piece in ["It is ", "3"] if answered else ["Let me ", "add é. "]:
            said += piece
            yield self.piece(said, piece)
        if self.fails:
            raise RuntimeError("model failed mid-stream")
        if not answered:
            yield self.piece(said, "", called=True)

    def piece(self, said, delta, thinking=None, called=False):
        more = {"tool_calls": [ToolSelection(tool_id="tu1", tool_name="add", tool_kwargs={"a": 1, "b": 2})]} if called else {}
        message = ChatMessage(role=MessageRole.ASSISTANT, content=said, additional_kwargs=more)
        return ChatResponse(message=message, delta=delta, additional_kwargs={"thinking_delta": thinking} if thinking else {})

    def get_tool_calls_from_response(self, response, error_on_no_tool_call=True, **more):
        return response.message.additional_kwargs.get("tool_calls", [])

    async def achat(self, messages, **more):
        raise NotImplementedError

    chat = complete = acomplete = stream_chat = stream_complete = astream_complete = achat


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


def serve(directory, name, **more):
    stream = more.pop("stream", True)
    agent = FunctionAgent(llm=Scripted(**more), tools=[FunctionTool.from_defaults(add)])
    app = AgentCoreRuntime(agent=agent, stream=stream)
    app = getattr(app, "app", None) or app._app
    save_body(directory, name, *asyncio.run(call(app, "/invocations", {"prompt": "1+2?"})))


def main(directory):
    serve(directory, "llama-index/stream")
    serve(directory, "llama-index/fail", fails=True)
    serve(directory, "llama-index/whole", stream=False)


main(sys.argv[1])
