"""A server of the official MCP SDK, over streamable HTTP without sessions as the service wants it.

usage: python mcp_app.py

The first line of output is `ready http://127.0.0.1:PORT`.
Such a server listens at `/mcp`, to which the service takes what comes to `/invocations`; this one listens there itself.
Tools: add; count, which tells of its progress; boom, which fails.
"""

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from loopback import serve

server = MCPServer("peer")


@server.tool()
def add(a: int, b: int) -> int:
    return a + b


@server.tool()
async def count(to: int, context: Context) -> str:
    for number in range(1, to + 1):
        await context.report_progress(number, to, f"at {number}")
    return f"counted to {to}"


@server.tool()
def boom() -> str:
    raise ToolError("mcp boom é")


def app(stateless=True):
    return server.streamable_http_app(streamable_http_path="/invocations", stateless_http=stateless)


if __name__ == "__main__":
    serve(app())
