"""Opens the mock's WebSocket with what the official SDK generates, by the websockets library and by aiohttp.

usage: python sdk_socket.py PORT ARN TOKEN CA_FILE GENERATOR LIBRARY

The generator is a name of the SDK's method; the AWS credentials are those of the standard variables. The agent must be `headers`.
Prints one line of JSON: {"credential_form", "session", "echo"}, or {"status"} where the mock refuses.
"""

import asyncio
import json
import socket
import ssl
import sys
from urllib.parse import parse_qs, urlsplit

import aiohttp
import websockets
import yarl
from aiohttp.abc import AbstractResolver
from bedrock_agentcore.runtime import AgentCoreRuntimeClient, agent_core_runtime_client

SESSION = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"


def generate(arn, token, generator):
    """Returns the URL and the headers that the SDK makes, as if the service were at https://localhost.

    The port is left out, since the SDK signs the presigned URL's host without one.
    """
    agent_core_runtime_client.get_data_plane_endpoint = lambda region: "https://localhost"
    client = AgentCoreRuntimeClient(region=arn.split(":")[3])
    if generator == "generate_presigned_url":
        return client.generate_presigned_url(arn, endpoint_name="DEFAULT", custom_headers={"room": "a b"}), {}
    if generator == "generate_ws_connection_oauth":
        return client.generate_ws_connection_oauth(arn, token)
    return client.generate_ws_connection(arn, endpoint_name="DEFAULT")


async def by_websockets(url, headers, port, trust):
    """The argument was `extra_headers` before version 14. The library adds its handshake's headers to those of the SDK."""
    try:
        async with websockets.connect(url, additional_headers=headers, port=port, ssl=trust) as connection:
            greeting = await connection.recv()
            await connection.send("héllo")
            return json.loads(greeting), await connection.recv()
    except websockets.InvalidStatus as error:
        return error.response.status_code


class AtPort(AbstractResolver):
    """Names the mock's port in place of 443."""

    def __init__(self, port):
        self.port = port

    async def resolve(self, host, port=0, family=socket.AF_INET):
        found = {"hostname": host, "host": "127.0.0.1", "port": self.port, "family": socket.AF_INET}
        return [{**found, "proto": 0, "flags": socket.AI_NUMERICHOST}]

    async def close(self):
        pass


async def by_aiohttp(url, headers, port, trust):
    """Without `encoded=True` yarl decodes what was signed, such as the ARN's `%3A`, and the service answers 403."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=AtPort(port), ssl=trust)) as session:
        try:
            async with session.ws_connect(yarl.URL(url, encoded=True), headers=headers) as connection:
                greeting = await connection.receive_str()
                await connection.send_str("héllo")
                return json.loads(greeting), await connection.receive_str()
        except aiohttp.WSServerHandshakeError as error:
            return error.status


def main():
    port, arn, token, ca_file, generator, library = sys.argv[1:]
    url, headers = generate(arn, token, generator)
    open_by = {"websockets": by_websockets, "aiohttp": by_aiohttp}[library]
    opened = asyncio.run(open_by(url, headers, int(port), ssl.create_default_context(cafile=ca_file)))
    if isinstance(opened, int):
        print(json.dumps({"status": opened}))
        return
    greeting, echo = opened
    named = headers.get(SESSION) or parse_qs(urlsplit(url).query)[SESSION][0]
    heard = dict(greeting["headers"]).get(SESSION.lower()) or dict(greeting["query"]).get(SESSION)
    print(json.dumps({"credential_form": greeting["credential_form"], "session": named == heard, "echo": echo}))


if __name__ == "__main__":
    main()
