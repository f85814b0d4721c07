"""An audit hook for a process that imports this first: it logs written files and connections to AUDIT_LOG."""

import os
import socket
import sys
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
log = os.open(os.environ["AUDIT_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Log files opened for writing, connections, and look-ups of host names."""
    if event == "open":
        path, mode, flags = arguments
        if isinstance(path, str | bytes) and (set(mode or "") & set("wax+") or (flags or 0) & WRITING):
            os.write(log, f"write {os.fsdecode(path)}\n".encode())
    elif event == "socket.connect" and arguments[0].family != socket.AF_UNIX:
        os.write(log, f"connect {arguments[1][0]}\n".encode())
    elif event == "socket.getaddrinfo":
        os.write(log, f"resolve {arguments[0]}\n".encode())


sys.addaudithook(audit)
