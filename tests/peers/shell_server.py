"""Shells under the service's path, over the websockets library and pseudo-terminals, framed by the official SDK's own framer.

usage: python shell_server.py

The first line of output is `ready http://127.0.0.1:PORT`. No credential is asked for.

What the mock leaves open is done otherwise here: whoever comes back gets the last 256 KB again, whether it was seen or not, and
the count of all that was printed before; a frame has at most 32 KiB; a shell whose id begins with `silent` confirms nothing; one
whose id begins with `beats` sends three heartbeats, each once the last one has come back, and says so on the platform's channel.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import tempfile
import termios
import uuid
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from bedrock_agentcore.runtime.shell import ShellChannel, ShellFramer
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

SESSION = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"
SHELL = "X-Amzn-Bedrock-AgentCore-Shell-Id"
KEPT = 256 * 1024
LARGEST = 32 * 1024
BEATS = 3

framer = ShellFramer()
shells = {}


def frame(channel, payload=b""):
    """The framer has no words for what a server alone sends."""
    return bytes([channel]) + payload


def status(metadata, **rest):
    text = json.dumps({"kind": "Status", "apiVersion": "v1", "metadata": metadata, **rest})
    return frame(ShellChannel.STATUS, text.encode())


def ended(code):
    """The status of a process that ended with this code, or by the signal of a negative one."""
    if code == 0:
        return status({}, status="Success")
    shown = code if code > 0 else 128 - code
    causes = [{"reason": "ExitCode", "message": str(shown)}]
    if code < 0:
        causes.append({"reason": "Signal", "message": str(-code)})
    message = f"command terminated with exit code {shown}"
    return status({}, status="Failure", reason="NonZeroExitCode", message=message, details={"causes": causes})


class Shell:
    """A process at a terminal, what it printed last, and the client that it is shown to."""

    def __init__(self):
        self.kept = bytearray()
        self.dropped = 0
        self.client = None
        self.turn = asyncio.Lock()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(tempfile.gettempdir())
            os.execvpe("sh", ["sh", "-i"], {"PS1": "$ ", "TERM": "dumb", "PATH": os.defpath})
        os.set_blocking(self.terminal, False)
        self.over = asyncio.create_task(self.show())

    async def show(self):
        """Passes on what is printed until the process has ended, and returns how it did."""
        while printed := await self.read():
            async with self.turn:
                self.keep(printed)
                if self.client:
                    await self.say(frame(ShellChannel.STDOUT, printed))
        _, how = await asyncio.to_thread(os.waitpid, self.pid, 0)
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(how)

    def keep(self, printed):
        self.kept += printed
        excess = max(len(self.kept) - KEPT, 0)
        del self.kept[:excess]
        self.dropped += excess

    async def say(self, message):
        """A client that has gone misses it."""
        with contextlib.suppress(ConnectionClosed):
            await self.client.send(message)

    async def read(self):
        while True:
            try:
                return os.read(self.terminal, 16 * 1024)
            except BlockingIOError:
                await self.ready(asyncio.get_running_loop().add_reader, asyncio.get_running_loop().remove_reader)
            except OSError:
                # The last process at the terminal has gone.
                return b""

    async def type(self, keys):
        """A full terminal is waited for."""
        while keys:
            try:
                keys = keys[os.write(self.terminal, keys) :]
            except BlockingIOError:
                await self.ready(asyncio.get_running_loop().add_writer, asyncio.get_running_loop().remove_writer)
            except OSError:
                return

    async def ready(self, watch, forget):
        event = asyncio.Event()
        watch(self.terminal, event.set)
        try:
            await event.wait()
        finally:
            forget(self.terminal)

    def resize(self, width, height):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    async def attach(self, client, confirmed):
        """Sends the confirmation and what is kept, before anything that is printed from now on."""
        async with self.turn:
            old, self.client = self.client, client
            if old:
                await old.close(4000, "kicked by new connection")
            if confirmed:
                again = {"reconnected": True, "bytesDropped": self.dropped} if client.again else {"reconnected": False}
                await self.say(status({"shellId": client.shell, **again}, status="Success"))
            for start in range(0, len(self.kept), LARGEST - 1):
                await self.say(frame(ShellChannel.STDOUT, bytes(self.kept[start : start + LARGEST - 1])))


async def attend(client):
    """Serves one client until it goes, another one comes, or the shell ends."""
    key = client.session, client.shell
    client.killed = False
    client.again = key in shells and not shells[key].over.done()
    if not client.again:
        shells[key] = Shell()
    shell = shells[key]
    await shell.attach(client, not client.shell.startswith("silent"))
    listening = asyncio.create_task(listen(client, shell))
    await asyncio.wait([listening, shell.over], return_when=asyncio.FIRST_COMPLETED)
    if shell.client is client:
        if shell.over.done():
            shells.pop(key, None)
            # A shell that was killed says no more than that it is over.
            if not client.killed:
                await shell.say(ended(shell.over.result()))
            await client.close(1000)
        shell.client = None
    listening.cancel()


async def listen(client, shell):
    """Does what a client asks for until it has gone."""
    with contextlib.suppress(ConnectionClosed):
        await obey(client, shell)


async def obey(client, shell):
    due = BEATS if client.shell.startswith("beats") else 0
    if due:
        await client.send(framer.encode_heartbeat())
    async for message in client:
        if isinstance(message, str):
            return await client.close(1003, "shells take binary frames")
        came = framer.decode(message)
        if came.channel == ShellChannel.STDIN:
            await shell.type(came.payload)
        elif came.channel == ShellChannel.RESIZE:
            size = came.json()
            shell.resize(size["width"], size["height"])
        elif came.channel == ShellChannel.HEARTBEAT:
            # The last of its own is not echoed once more.
            due -= 1
            if due == 0:
                await client.send(frame(ShellChannel.STDERR, f"{BEATS} heartbeats came back\n".encode()))
            else:
                await client.send(framer.encode_heartbeat())
        elif came.channel == ShellChannel.CLOSE:
            client.killed = True
            await client.send(frame(ShellChannel.CLOSE))
            os.kill(shell.pid, signal.SIGKILL)
            await shell.over


def admit(client, request):
    """Reads the ids of the opening request, or refuses another path."""
    url = urlsplit(request.path)
    query = parse_qs(url.query)
    client.session = request.headers.get(SESSION) or query.get(SESSION, [str(uuid.uuid4())])[0]
    client.shell = query.get("shellId", [str(uuid.uuid4())])[0]
    if not url.path.endswith("/ws/shells"):
        return client.respond(HTTPStatus.NOT_FOUND, "There are shells only.\n")


def name(client, request, response):
    response.headers[SESSION] = client.session
    response.headers[SHELL] = client.shell
    return response


async def main():
    hooks = {"process_request": admit, "process_response": name}
    async with serve(attend, "127.0.0.1", 0, max_size=LARGEST, **hooks) as server:
        print(f"ready http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
