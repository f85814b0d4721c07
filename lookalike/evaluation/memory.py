"""How much memory a process holds. Linux only; 0 elsewhere."""

from __future__ import annotations

from pathlib import Path


def reset_peak() -> None:
    """Restart this process's memory peak, where the system allows it."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:  # not Linux, or a container that forbids it: the peak counts from the process's start
        return


def peak_memory(pid: int | str = "self") -> float:
    """Return the peak of a process's resident memory in MB."""
    return _read_status(pid, "VmHWM")


def resident_memory(pid: int | str = "self") -> float:
    """Return a process's resident memory in MB."""
    return _read_status(pid, "VmRSS")


def _read_status(pid: int | str, field: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(field)), 0.0)
