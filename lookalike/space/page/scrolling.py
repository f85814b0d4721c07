"""Scripts that scroll to an answer: on a phone it is below what was chosen."""

from __future__ import annotations


def scroll_to(selector: str) -> str:
    """Return a script that scrolls just far enough to show the first element with this CSS selector."""
    calm = "matchMedia('(prefers-reduced-motion: reduce)').matches"
    options = f"{{block: 'nearest', behavior: {calm} ? 'auto' : 'smooth'}}"
    return f"() => setTimeout(() => document.querySelector('{selector}')?.scrollIntoView({options}), 150)"
