"""How a batch's executor is named: `threads`, or `dask:` and the address of a scheduler."""

from __future__ import annotations

import re

from epoch_plugin.core.errors import InputError

THREADS, DASK = "threads", "dask:"
# what Dask connects to: a host with its port, with or without the usual schemes, or another of its schemes
_ADDRESS = re.compile(r"(?:(?:tcp|tls)://)?(?:\[[0-9A-Fa-f:.]+\]|[^\s/:\[\]]+):\d{1,5}/?|(?:inproc|ucx|ucxx|ws|wss)://\S+")


def is_address(text: str) -> bool:
    """Tell whether a text can be the address of a Dask scheduler."""
    return _ADDRESS.fullmatch(text.strip()) is not None


def check_executor(name: str) -> None:
    """Raise `InputError` for anything but `threads` and `dask:<scheduler address>`."""
    if name != THREADS and not (name.startswith(DASK) and is_address(name[len(DASK) :])):
        words = f"use '{THREADS}' or '{DASK}<scheduler address>' with its port, for example dask:tcp://10.0.0.5:8786."
        raise InputError(f"EXECUTOR is '{name}': {words}")
