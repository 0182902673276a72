"""Invokes an agent with boto3 itself, so that botocore's signature meets our mock's verifier.

usage: python boto3_invoke.py ENDPOINT ARN SESSION_ID PAYLOAD

The credentials are those of the standard AWS environment variables.
Prints one line of JSON: {"status", "session_id", "body"}, or {"status", "error"} where the service refuses.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def main():
    endpoint, arn, session, payload = sys.argv[1:]
    client = boto3.client(
        "bedrock-agentcore",
        region_name=arn.split(":")[3],
        endpoint_url=endpoint,
        config=Config(retries={"max_attempts": 1}),
    )
    try:
        reply = client.invoke_agent_runtime(agentRuntimeArn=arn, runtimeSessionId=session, payload=payload.encode())
    except ClientError as error:
        meta = error.response["ResponseMetadata"]
        print(json.dumps({"status": meta["HTTPStatusCode"], "error": error.response["Error"]["Code"]}))
    else:
        answer = {
            "status": reply["statusCode"],
            "session_id": reply.get("runtimeSessionId"),
            "body": reply["response"].read().decode(),
        }
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
