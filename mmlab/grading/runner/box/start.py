"""How a box begins: `zygote` on a socket where the system forks, else `alone`: one fresh process for each solution."""

import json
import os
import socket
import sys

from . import child, fence, zygote


def fork_server(config: dict) -> None:
    zygote.serve(socket.socket(fileno=config["control"]), config)


def alone(config: dict) -> None:
    """The request comes in on the standard input, frames go out on what was the standard output."""
    request, result = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    box = zygote.prepare(config, fence.leave_network())
    with os.fdopen(request, "rb") as incoming, os.fdopen(result, "wb") as outgoing:
        child.main(box, config["job"], incoming, outgoing)
    os._exit(0)


def main() -> None:
    config = json.loads(sys.argv[1])
    (fork_server if config["control"] is not None else alone)(config)
