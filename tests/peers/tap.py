"""Runs checks one after another and reports them by the Test Anything Protocol, version 13, with one line of diagnostics."""

import asyncio
import json
import time

# A check that waits for longer has failed, in seconds.
PATIENCE = 10
# All of them end within this, so that whoever started them still hears of each.
ALTOGETHER = 45


class Checks:
    """Coroutine functions in their order; the first line of each one's documentation is its name."""

    def __init__(self):
        self.all = []

    def __call__(self, check):
        self.all.append(check)
        return check

    def run(self, make):
        """Calls each with a fresh subject, prints a verdict for each, and the plan at last."""
        deadline = time.monotonic() + ALTOGETHER
        for number, check in enumerate(self.all, 1):
            rest = min(PATIENCE, max(deadline - time.monotonic(), 0))
            name = check.__doc__.splitlines()[0].rstrip(".")
            try:
                asyncio.run(asyncio.wait_for(check(make()), rest))
            except Exception as error:
                print(f"not ok {number} - {name}\n  ---\n  error: {fault(error)}\n  ...", flush=True)
            else:
                print(f"ok {number} - {name}", flush=True)
        print(f"1..{len(self.all)}")


def fault(error):
    """One line about an exception; a failed comparison has its values for a message."""
    if isinstance(error, TimeoutError):
        return "nothing more came in time"
    return json.dumps(f"{type(error).__name__}: {error}")


def same(found, expected):
    """Fails unless both are equal, and says what was found."""
    if found != expected:
        raise AssertionError(f"found {short(found)}, expected {short(expected)}")


def short(value):
    text = repr(value)
    return text if len(text) < 400 else f"{text[:400]}… ({len(text)} characters)"
