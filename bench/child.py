"""A fresh process for one measurement: `python -m bench.child RUN '{"cache": ..., ...}'`; prints one line of JSON.

A run is a module of bench.runs with `prepare(cache, **arguments)`: imports and input, not measured. It returns the work, a function
that is measured and returns further figures (or None).
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import sys
from pathlib import Path

from bench.measure import Stopwatch
from bench.scale import FULL, QUICK, Cache


def main(run: str, arguments: str) -> None:
    """Measure one run."""
    given = json.loads(arguments)
    scales = {scale.name: scale for scale in (FULL, QUICK)}
    cache = Cache(Path(given.pop("root")), scales[given.pop("scale")])
    work = importlib.import_module(f"bench.runs.{run}").prepare(cache, **given)
    with Stopwatch() as watch:
        further = work()
    answer = {**dataclasses.asdict(watch.measured), **(further or {})}
    print(json.dumps(answer), flush=True)
    os._exit(0)  # QGIS and GDAL may crash while Python takes itself down


if __name__ == "__main__":
    main(*sys.argv[1:])
