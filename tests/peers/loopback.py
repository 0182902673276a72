"""Serves an ASGI application on a free loopback port and says where.

The socket listens before the address is printed: whoever reads the line may connect at once.
"""

import socket

import uvicorn


def serve(app):
    """Prints `ready http://127.0.0.1:PORT` as the first line, then serves until killed."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"ready http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    # The settings that the official SDK's `app.run` chooses outside of its debug mode.
    config = uvicorn.Config(app, access_log=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])
