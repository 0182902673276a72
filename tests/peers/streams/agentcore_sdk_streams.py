"""Streams of the official SDK for what Python can yield: strings, numbers, halves of characters, bytes, errors.

usage: python agentcore_sdk_streams.py DIRECTORY
"""

import datetime
import sys

from capture import save


def yields(*values):
    async def invoke(payload):
        for value in values:
            if isinstance(value, Exception):
                raise value
            yield value

    return invoke


def returns(value):
    return lambda payload: value


def main(directory):
    save(directory, "sdk/strings", yields("Hel", "lo", "", "\n\n", "data: x\r\n", "é😀\u2028"))
    save(directory, "sdk/equal-strings", yields("ha", "ha", "ha"))
    save(directory, "sdk/scalars", yields("It is ", 42, True, None, 1.5, float("nan"), float("-inf"), "!"))
    save(directory, "sdk/surrogates", yields("a\ud83d", "\ude00b", "c\udc00d"))
    save(directory, "sdk/surrogates-in-objects", yields({"text": "a\ud83d"}, {"text": "\ude00b"}))
    save(directory, "sdk/controls", yields("a\0b\x1b[31m\x7f", {"data": "\t\0"}))
    save(directory, "sdk/bytes", yields(b"\xff\x00", {"data": "x", "raw": b"\x01"}, {"result": {1, 2}}))
    save(directory, "sdk/not-json", yields({"data": "x", "at": datetime.datetime(2026, 1, 5)}, {"data": "y", "n": float("nan")}))
    save(directory, "sdk/raise", yields("Hel", ValueError('no "é"\nat all')))
    save(directory, "sdk/raise-at-once", yields(KeyError("prompt")))
    save(directory, "sdk/nothing", yields())
    save(directory, "sdk/returned-string", returns("Hello é"))
    save(directory, "sdk/returned-object", returns({"result": "Hello", "status": "success"}))
    save(directory, "sdk/returned-nan", returns({"response": "Hello", "score": float("nan")}))
    save(directory, "sdk/returned-nothing", returns(None))


main(sys.argv[1])
