"""Runs commands, invokes harnesses, stops sessions and reads cards with boto3, whose parser of event streams reads the mock's frames.

usage: python boto3_sessions.py ENDPOINT ARN

The ARN is that of the agent `echo`, of a mock that allows commands. The AWS credentials are those of the standard variables.
Reports by the Test Anything Protocol.
"""

import sys
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from tap import PATIENCE, Checks, same

LARGEST = 64 * 1024

check = Checks()


class Runtime:
    """A runtime of the mock, and one of its sessions."""

    def __init__(self, client, arn):
        self.client = client
        self.arn = arn
        self.session = str(uuid.uuid4())

    def named(self, name):
        return Runtime(self.client, f"{self.arn.rsplit('/', 1)[0]}/{name}")

    def start(self, command, **body):
        """Returns the answer to a command, and its events, which are read as they come."""
        answer = self.client.invoke_agent_runtime_command(
            agentRuntimeArn=self.arn, runtimeSessionId=self.session, body={"command": command, **body}
        )
        return answer, (event["chunk"] for event in answer["stream"])

    def run(self, command, **body):
        """Returns both outputs and the last event of a command, whose first event says that it has begun."""
        _, events = self.start(command, **body)
        first, *deltas, last = events
        same(first, {"contentStart": {}})
        deltas = [delta["contentDelta"] for delta in deltas]
        for text in (text for delta in deltas for text in delta.values()):
            same(len(text.encode()) <= LARGEST, True)
        output, error = ("".join(delta.get(name, "") for delta in deltas) for name in ("stdout", "stderr"))
        return output, error, last["contentStop"]

    def stop(self):
        answer = self.client.stop_runtime_session(agentRuntimeArn=self.arn, runtimeSessionId=self.session)
        same((answer["statusCode"], answer["runtimeSessionId"]), (200, self.session))


def refused(call, *given):
    """Returns the status and the name of an error."""
    try:
        call(*given)
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
    return "it was answered"


def completed(code):
    return {"exitCode": code, "status": "COMPLETED"}


@check
async def outputs(echo):
    """a command: begun, both outputs, exit code 3, the session of the answer"""
    same(echo.run("echo out; echo err >&2; exit 3"), ("out\n", "err\n", completed(3)))
    answer, events = echo.start("true")
    same((answer["statusCode"], answer["runtimeSessionId"]), (200, echo.session))
    same(answer["contentType"], "application/vnd.amazon.eventstream")
    same(list(events), [{"contentStart": {}}, {"contentStop": completed(0)}])


@check
async def signal(echo):
    """a command that a signal ends has 128 and more for a code"""
    same(echo.run("kill -9 $$"), ("", "", completed(137)))


@check
async def timeout(echo):
    """a timeout: what was said before, then -1 and TIMED_OUT"""
    same(echo.run("echo begun; sleep 60", timeout=1), ("begun\n", "", {"exitCode": -1, "status": "TIMED_OUT"}))


@check
async def unicode(echo):
    """180,000 bytes beyond ASCII come whole, in events of 64 KB at most"""
    words = "i=0; while [ $i -lt 20000 ]; do printf 'é世🌍'; i=$((i+1)); done"
    same(echo.run(words), ("é世🌍" * 20_000, "", completed(0)))
    same(echo.run(r"printf 'a\377b'"), ("a\ufffdb", "", completed(0)))


@check
async def escapes(echo):
    """control characters and quotes survive the JSON inside the frames"""
    same(echo.run(r"""printf '\001\t"\\\r\n\033[0m'"""), ('\x01\t"\\\r\n\x1b[0m', "", completed(0)))


@check
async def shared(echo):
    """commands of a session share a machine, until it is stopped"""
    same(echo.run("echo kept > file"), ("", "", completed(0)))
    same(echo.run("cat file"), ("kept\n", "", completed(0)))
    same(echo.named("echo").run("cat file")[2], completed(1))
    echo.stop()
    same(echo.run("cat file")[2], completed(1))


@check
async def stopped(echo):
    """a session is stopped in the midst of a command, which ends with -1"""
    _, events = echo.start("echo begun; sleep 60")
    same([next(events), next(events)], [{"contentStart": {}}, {"contentDelta": {"stdout": "begun\n"}}])
    echo.stop()
    same(list(events), [{"contentStop": completed(-1)}])


@check
async def stops(echo):
    """stopping twice, and a session that never was: 200"""
    echo.run("true")
    echo.stop()
    echo.stop()
    echo.named("echo").stop()


@check
async def card(echo):
    """an agent's card is a document, with and without a session"""
    for session in [{}, {"runtimeSessionId": echo.session}]:
        answer = echo.client.get_agent_card(agentRuntimeArn=echo.arn, **session)
        same((answer["statusCode"], answer["agentCard"]["name"]), (200, "echo"))
        same(answer["agentCard"]["protocolVersion"], "0.3.0")
        same(session.get("runtimeSessionId", answer["runtimeSessionId"]), answer["runtimeSessionId"])


@check
async def midstream(echo):
    """an exception in mid-stream is boto3's, with its name and message, behind what was said"""
    _, events = echo.named("fail-midstream").start("true")
    same([next(events), next(events)], [{"contentStart": {}}, {"contentDelta": {"stdout": "Once\n"}}])
    try:
        found = next(events)
    except EventStreamError as error:
        found = error.response["Error"]
    same(found, {"Code": "runtimeClientError", "Message": "the machine went away"})


@check
async def refusals(echo):
    """errors are boto3's: too long a command, too long a timeout, no such runtime, throttled"""
    same(refused(echo.run, "x" * 65_537), (400, "ValidationException"))
    same(refused(lambda: echo.run("true", timeout=3601)), (400, "ValidationException"))
    nobody = echo.named("nobody")
    same(refused(nobody.run, "true"), (404, "ResourceNotFoundException"))
    same(refused(nobody.stop), (404, "ResourceNotFoundException"))
    same(refused(lambda: nobody.client.get_agent_card(agentRuntimeArn=nobody.arn)), (404, "ResourceNotFoundException"))
    same(refused(echo.named("throttle-9").run, "true"), (429, "ThrottlingException"))


def invoke_harness(echo, name, *messages):
    """Returns the events of a harness's answer as they come, each by its name alone or with its contents."""
    arn = f"{echo.arn.rsplit(':', 1)[0]}:harness/{name}"
    answer = echo.client.invoke_harness(harnessArn=arn, runtimeSessionId=echo.session, messages=list(messages))
    yield from answer["stream"]


def user(*content):
    return {"role": "user", "content": list(content)}


@check
async def harnesses(echo):
    """a harness: a message in its events, and the numbers of its model call"""
    events = list(invoke_harness(echo, "echo", user({"text": "Hello"})))
    same([name for event in events for name in event], HARNESS_EVENTS)
    same(events[1]["contentBlockDelta"], {"contentBlockIndex": 0, "delta": {"text": "Hello"}})
    same(events[3]["messageStop"], {"stopReason": "end_turn"})
    same(events[4]["metadata"]["usage"]["totalTokens"], 12)


@check
async def inline_functions(echo):
    """a harness's function: asked for, and answered by a toolResult in the same session"""
    events = list(invoke_harness(echo, "ask", user({"text": "Delete it"})))
    call = next(event["contentBlockStart"]["start"]["toolUse"] for event in events if "contentBlockStart" in event)
    same((call["name"], call["type"], events[-1]["messageStop"]), ("approve", "tool_use", {"stopReason": "tool_use"}))
    result = {"toolUseId": call["toolUseId"], "content": [{"text": "yes"}], "status": "success"}
    events = list(invoke_harness(echo, "ask", user({"toolResult": result})))
    same(events[1]["contentBlockDelta"]["delta"], {"text": "You answered: yes"})


@check
async def harness_failures(echo):
    """a harness's exception in mid-stream, after what was said; refusals by name"""
    said = []
    try:
        for event in invoke_harness(echo, "fail-midstream", user({"text": "x"})):
            said.append(event)
    except EventStreamError as error:
        same(error.response["Error"]["Code"], "runtimeClientError")
    same([name for event in said for name in event], ["messageStart", "contentBlockDelta", "contentBlockDelta"])
    gone = refused(lambda: list(invoke_harness(echo, "nobody", user({"text": "x"}))))
    same(gone, (404, "ResourceNotFoundException"))


HARNESS_EVENTS = ["messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"]


def main():
    endpoint, arn = sys.argv[1:]
    config = Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE)
    client = boto3.client("bedrock-agentcore", region_name=arn.split(":")[3], endpoint_url=endpoint, config=config)
    check.run(lambda: Runtime(client, arn))


if __name__ == "__main__":
    main()
