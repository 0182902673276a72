"""Works in the mock's shells by the official SDK's `ShellSession`, over TLS.

usage: python sdk_shell.py PORT ARN TOKEN CA_FILE

The AWS credentials are those of the standard variables. Reports by the Test Anything Protocol.

What is typed comes back as well, as on any terminal: words that are waited for are typed in two pieces (`do''ne`).
"""

import asyncio
import functools
import ssl
import sys
import uuid

import websockets
from bedrock_agentcore.runtime import AgentCoreRuntimeClient, agent_core_runtime_client
from bedrock_agentcore.runtime.shell import OAuthAuth, PresignedAuth, ReconnectConfig, ShellChannel, ShellFramer

from tap import Checks, same

LARGEST = 64 * 1024

check = Checks()


class Recorder(ShellFramer):
    """The SDK's framer, which keeps what it decoded: the session swallows confirmations, echoes and goodbyes."""

    def __init__(self):
        self.frames = []

    def decode(self, frame):
        decoded = super().decode(frame)
        self.frames.append(decoded)
        return decoded

    def channels(self):
        return [frame.channel for frame in self.frames]

    def confirmation(self):
        [status] = [frame.json() for frame in self.frames if frame.channel == ShellChannel.STATUS and b"shellId" in frame.payload]
        return status


class Terminal:
    """What a person sees of a `ShellSession`."""

    def __init__(self, session):
        self.session = session
        self.framer = session._framer = Recorder()
        self.last = None
        self.printed = ""

    async def __aenter__(self):
        await self.session.__aenter__()
        self.socket = self.session._ws
        return self

    async def __aexit__(self, *error):
        await self.session.__aexit__(*error)

    async def type(self, line):
        await self.session.send(f"{line}\n")

    async def read_to(self, words):
        """Returns what is printed up to these words, which later reads begin behind."""
        while words not in self.printed:
            self.last = await anext(self.session)
            if self.last.channel == ShellChannel.STDOUT:
                self.printed += self.last.text
        before, self.printed = self.printed.split(words, 1)
        return before

    async def read_to_end(self):
        """Returns the exit code that the SDK understands, and the causes that the last frame gives for it."""
        async for self.last in self.session:
            pass
        same(self.last.channel, ShellChannel.STATUS)
        causes = self.last.json().get("details", {}).get("causes", [])
        return self.session.exit_code, {cause["reason"]: cause["message"] for cause in causes}


class Service:
    """The mock in the place of the service."""

    def __init__(self, arn, token):
        self.arn = arn
        self.token = token
        self.client = AgentCoreRuntimeClient(region=arn.split(":")[3])

    def open(self, session=None, shell=None, **settings):
        session, shell = session or str(uuid.uuid4()), shell or str(uuid.uuid4())
        return Terminal(self.client.open_shell(self.arn, session_id=session, shell_id=shell, **settings))


async def answers(terminal):
    """Types a line, reads what it prints and leaves."""
    asked = terminal.session.session_id, terminal.session.shell_id
    async with terminal:
        same((terminal.session.session_id, terminal.session.shell_id), asked)
        headers = terminal.socket.response.headers
        same(headers["X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"], asked[0])
        same(headers["X-Amzn-Bedrock-AgentCore-Shell-Id"], asked[1])
        await terminal.type("echo $((6 * 7)) zwölf; exit")
        await terminal.read_to("42 zwölf\r\n")
        same(await terminal.read_to_end(), (0, {}))
        confirmation = terminal.framer.confirmation()
        same(confirmation["metadata"], {"shellId": asked[1], "reconnected": False})
        same((confirmation["kind"], confirmation["apiVersion"], confirmation["status"]), ("Status", "v1", "Success"))
        await terminal.socket.wait_closed()
        same(terminal.socket.close_code, 1000)


async def refused(terminal):
    """Returns the status by which an opening is refused, and the name of the error."""
    try:
        async with terminal:
            return "opened"
    except websockets.InvalidStatus as error:
        return error.response.status_code, error.response.headers["x-amzn-ErrorType"]


@check
async def signed_headers(service):
    """signed headers: both ids in the 101, a confirmation, a line typed, its output, exit 0, close 1000"""
    await answers(service.open())


@check
async def presigned(service):
    """the same by a presigned URL, at a named endpoint"""
    await answers(service.open(auth=PresignedAuth(expires=60), endpoint_name="DEFAULT"))


@check
async def oauth(service):
    """the same by a token in a subprotocol"""
    terminal = service.open(auth=OAuthAuth(bearer_token=service.token))
    await answers(terminal)
    same(terminal.socket.subprotocol, "base64UrlBearerAuthorization")


@check
async def forged(service):
    """another token and another session's length are refused before the upgrade"""
    same(await refused(service.open(auth=OAuthAuth(bearer_token=f"{service.token}A"))), (401, "UnauthorizedException"))
    same(await refused(service.open(session="short")), (400, "ValidationException"))


@check
async def exit_code(service):
    """exit code 7, with its cause"""
    async with service.open() as terminal:
        await terminal.type("exit 7")
        same(await terminal.read_to_end(), (7, {"ExitCode": "7"}))
        same((terminal.last.json()["status"], terminal.last.json()["reason"]), ("Failure", "NonZeroExitCode"))
        same(ShellChannel.CLOSE in terminal.framer.channels(), False)


@check
async def signal(service):
    """the end by a signal: 137 and 9"""
    async with service.open() as terminal:
        await terminal.type("kill -9 $$")
        same(await terminal.read_to_end(), (137, {"ExitCode": "137", "Signal": "9"}))


@check
async def resize(service):
    """the terminal has the size that it is told, each time"""
    async with service.open() as terminal:
        for width, height in [(101, 37), (1000, 1)]:
            await terminal.session.resize(width, height)
            await terminal.type("stty size")
            await terminal.read_to(f"{height} {width}\r\n")


@check
async def keys(service):
    """Ctrl-C is a byte that interrupts, and a heartbeat comes back once"""
    async with service.open() as terminal:
        # What is interrupted runs by then, and reads nothing of what is typed next.
        await terminal.type("sh -c 'echo run$((1))ning; exec sleep 60'")
        await terminal.read_to("run1ning\r\n")
        await terminal.socket.send(terminal.framer.encode_heartbeat())
        await terminal.session.send_bytes(b"\x03")
        await terminal.type("echo inter''rupted")
        await terminal.read_to("interrupted")
        same(terminal.framer.channels().count(ShellChannel.HEARTBEAT), 1)


@check
async def attached_again(service):
    """detached by a close and found again, with its variables and what it printed meanwhile"""
    session = str(uuid.uuid4())
    async with service.open(session, "kept") as first:
        await first.type("x=kept; mkfifo gate; echo rea''dy; cat gate; echo mean''while; echo > gate")
        await first.read_to("ready")
    # Another shell of the session lets the first one go on, and is told when it has printed.
    async with service.open(session, "other") as other:
        await other.type("echo > gate; cat gate; echo pri''nted")
        await other.read_to("printed")
    async with service.open(session, "kept") as again:
        await again.read_to("meanwhile\r\n")
        await again.type("echo still $x; exit 3")
        await again.read_to("still kept\r\n")
        same(await again.read_to_end(), (3, {"ExitCode": "3"}))
        same(again.framer.confirmation()["metadata"], {"shellId": "kept", "reconnected": True, "bytesDropped": 0})


@check
async def bounded(service):
    """what is printed meanwhile is kept up to 256 KB, and what was dropped is counted"""
    session = str(uuid.uuid4())
    async with service.open(session, "long") as first:
        await first.type("mkfifo gate; stty -echo; PS1=; echo rea''dy; cat gate; seq 100000 159999; echo en''d; echo > gate")
        await first.read_to("ready\r\n")
    async with service.open(session, "other") as other:
        await other.type("echo > gate; cat gate; echo pri''nted")
        await other.read_to("printed")
    async with service.open(session, "long") as again:
        rest = await again.read_to("end\r\n")
        # 60,000 numbers, each with the line's end of a terminal, after the empty line that opened the gate.
        dropped = again.framer.confirmation()["metadata"]["bytesDropped"]
        same(dropped > 0, True)
        same(dropped + len(rest), 60_000 * len("100000\r\n") + len("\r\n"))
        numbers = "".join(f"{number}\r\n" for number in range(100_000, 160_000))
        same(numbers.endswith(rest), True)


@check
async def taken_over(service):
    """taken over by another client: 4000, which the SDK calls kicked, and the other one goes on"""
    session = str(uuid.uuid4())
    async with service.open(session, "one") as first:
        await first.type("x=kept; echo rea''dy")
        await first.read_to("ready")
        async with service.open(session, "one") as second:
            async for _ in first.session:
                pass
            same((first.session.kicked, first.session.exit_code, first.socket.close_code), (True, None, 4000))
            await second.type("echo still $x")
            await second.read_to("still kept")
            same(second.session.kicked, False)


@check
async def killed(service):
    """killed by FF: the frame comes back, then 1000, and the same ids begin another shell"""
    session = str(uuid.uuid4())
    async with service.open(session, "one") as first:
        await first.type("x=kept; echo rea''dy")
        await first.read_to("ready")
        # The SDK has no method for it.
        await first.socket.send(bytes([ShellChannel.CLOSE]))
        async for _ in first.session:
            pass
        same((first.framer.channels()[-1], first.framer.frames[-1].payload), (ShellChannel.CLOSE, b""))
        await first.socket.wait_closed()
        same(first.socket.close_code, 1000)
    async with service.open(session, "one") as second:
        await second.type("echo other:$x:")
        await second.read_to("other::")
        same(second.framer.confirmation()["metadata"]["reconnected"], False)


@check
async def sizes(service):
    """the SDK's largest frame is typed whole; a byte more is answered by 1009, and the SDK attaches again"""
    came_back = asyncio.Event()
    reconnect = ReconnectConfig(max_retries=3, base_delay=0.1, on_reconnect=came_back.set)
    async with service.open(reconnect_config=reconnect) as terminal:
        await terminal.type("x=kept; stty -echo; echo rea''dy; wc -c")
        await terminal.read_to("ready")
        # 65,535 bytes of lines that fit into a terminal's line, and the end of the input.
        await terminal.session.send_bytes(b"0123456789abcd\n" * 4369)
        await terminal.session.send_bytes(b"\x04")
        await terminal.read_to("65535\r\n")
        await terminal.socket.send(bytes([ShellChannel.STDIN]) + b"x" * LARGEST)
        await terminal.socket.wait_closed()
        same(terminal.socket.close_code, 1009)
        terminal.framer.frames.clear()
        # Only who reads is attached again.
        reading = asyncio.create_task(terminal.read_to("still kept"))
        await came_back.wait()
        await terminal.type("echo still $x")
        await reading
        same(terminal.framer.confirmation()["metadata"]["reconnected"], True)


def main():
    port, arn, token, ca_file = sys.argv[1:]
    # The SDK knows no port, trusts nobody but the system's authorities, and signs the host without a port.
    agent_core_runtime_client.get_data_plane_endpoint = lambda region: "https://localhost"
    trust = ssl.create_default_context(cafile=ca_file)
    websockets.connect = functools.partial(websockets.connect, port=int(port), ssl=trust)
    check.run(lambda: Service(arn, token))


if __name__ == "__main__":
    main()
