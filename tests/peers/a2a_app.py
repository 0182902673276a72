"""An agent on the official SDK's Agent2Agent server, over a2a-sdk 0.3 or 1.x, whichever is installed.

usage: python a2a_app.py

The first line of output is `ready http://127.0.0.1:PORT`.
Such an agent listens at `/`, to which the service takes what comes to `/invocations`; here, this file does.
What the message says chooses the task:
  status  the answer in pieces, by status, and then as a whole, in an artifact
  fail    a task that fails, with a reason
  ask     a task that waits for more, and then for nothing
  raise   an exception, after the answer
  (other) an artifact in pieces that ends with these words
"""

from a2a import types
from a2a.server.agent_execution import AgentExecutor
from a2a.server.tasks import TaskUpdater
from bedrock_agentcore.runtime import build_a2a_app

from loopback import serve

IS_0_3 = hasattr(types, "TextPart")


def part(text):
    return types.Part(root=types.TextPart(text=text)) if IS_0_3 else types.Part(text=text)


class Agent(AgentExecutor):
    async def execute(self, context, events):
        said = context.get_user_input()
        task = TaskUpdater(events, context.task_id, context.context_id)
        if context.current_task is not None:
            await task.add_artifact([part(f"You said {said}.")], name="answer")
            await task.complete()
            return
        if IS_0_3:
            await task.submit()
        else:
            status = types.TaskStatus(state=types.TaskState.TASK_STATE_SUBMITTED)
            await events.enqueue_event(types.Task(id=context.task_id, context_id=context.context_id, status=status))
        await task.start_work()
        pieces = ["Hel", "lo é ", said]
        if said == "fail":
            await task.failed(task.new_agent_message([part("a2a is out of order")]))
            return
        if said == "ask":
            await task.requires_input(task.new_agent_message([part("Which one, é?")]))
            return
        if said == "status":
            for piece in pieces:
                await task.update_status(working(), task.new_agent_message([part(piece)]))
            await task.add_artifact([part("".join(pieces))], name="answer")
        else:
            for number, piece in enumerate(pieces):
                await task.add_artifact(
                    [part(piece)], artifact_id="a1", name="answer", append=number > 0, last_chunk=number == 2
                )
        if said == "raise":
            raise ValueError("a2a boom")
        await task.complete()

    async def cancel(self, context, events):
        raise NotImplementedError


def working():
    return types.TaskState.working if IS_0_3 else types.TaskState.TASK_STATE_WORKING


agent = build_a2a_app(Agent())


async def app(scope, receive, send):
    if scope.get("path") == "/invocations":
        scope = {**scope, "path": "/", "raw_path": b"/"}
    await agent(scope, receive, send)


if __name__ == "__main__":
    serve(app)
