"""How deeply JSON may be nested: Pythons give up at depths that differ by version, SQLite's functions at 1000, readers of a stored text later."""

from __future__ import annotations

import json
from typing import Any

DEEPEST = 100


def nested_too_deeply(value: Any) -> bool:
    """Tell whether lists and objects lie in each other more than `DEEPEST` deep; itself without recursion."""
    level = [value]
    for _ in range(DEEPEST + 1):
        inner = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, (dict, list, tuple))]
        if not inner:
            return False
        level = [child for children in inner for child in children]
    return True


def json_value(text: str | bytes, **hooks: Any) -> Any:
    """Decode JSON; raise ValueError where it is none or is nested too deeply, alike on every Python."""
    try:
        value = json.loads(text, **hooks)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if nested_too_deeply(value):
        raise ValueError("it is nested too deeply")
    return value
