"""How much memory a process holds, as Linux tells it."""

from __future__ import annotations

from pathlib import Path


def forget_peak() -> None:
    """Let this process's memory peak count from now on, where the system can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:  # another system, or a container that forbids it: the peak then counts from the start
        return


def peak_memory(pid: int | str = "self") -> float:
    """Return the most MB that a process has held in memory at once, 0 where the system does not tell."""
    return _status(pid, "VmHWM")


def memory(pid: int | str = "self") -> float:
    """Return the MB that a process holds in memory, 0 where the system does not tell as Linux does."""
    return _status(pid, "VmRSS")


def _status(pid: int | str, field: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(field)), 0.0)
