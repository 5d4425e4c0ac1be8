"""Which runs there are, and running them: round after round, each in a process of its own, none thrown away."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.scale import Cache

ROOT = Path(__file__).resolve().parents[1]
LIMIT_MB = 2048
ALL_FOUR = {"datasets": "four", "stats": "eudr_deforestation,luc_emissions,biodiversity,water"}


@dataclass(frozen=True)
class Run:
    """One measurement; `needs`: the run that leaves what it reads; `keeps_cache`: it finds the plans that the run before it left."""

    key: str
    module: str
    arguments: dict[str, Any]
    once: bool = False
    keeps_cache: bool = False
    needs: str = ""


@dataclass
class Results:
    """What the runs said: figures of every round by run, and why a run failed."""

    figures: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    loads: list[float] = field(default_factory=list)  # one-minute load averages before each round

    def median(self, key: str, figure: str) -> float | None:
        """Return the median of a figure, None where the run has none."""
        values = [one[figure] for one in self.figures.get(key, []) if figure in one]
        return statistics.median(values) if values else None

    def largest(self, keys: list[str], figure: str) -> float | None:
        """Return the largest of a figure over all rounds of several runs."""
        return max((one[figure] for key in keys for one in self.figures.get(key, [])), default=None)


def runs(cache: Cache) -> list[Run]:
    """Return the runs in their order within a round."""
    scale = cache.scale
    small, large, huge = scale.plots
    return [
        Run("statistics", "statistics", {"count": small}),
        Run("exactextract", "exactextract_peer", {"count": small}),
        Run("exactextract_frame", "exactextract_peer", {"count": small, "frame": True}),
        Run("floor", "floor", {"count": small}),
        Run("deforestation", "batch", {"count": small}),
        Run("four", "batch", {"count": small, **ALL_FOUR}),
        Run("exactextract_four", "exactextract_peer", {"count": small, **ALL_FOUR}),
        Run("exactextract_four_frame", "exactextract_peer", {"count": small, "frame": True, **ALL_FOUR}),
        Run("statistics_large", "statistics", {"count": large}),
        Run("deforestation_large", "batch", {"count": large, "keep": "processed"}),
        Run("commit", "commit", {"count": large, "processed": "processed"}, needs="deforestation_large"),
        Run("fetch", "fetch", {"processed": "processed"}, needs="deforestation_large"),
        Run("table_view", "table_view", {"processed": "processed"}, needs="deforestation_large"),
        Run("ids", "ids", {"count": large}),
        Run("before_new_year", "statistics", {"count": large, "datasets": "before"}),
        Run("new_year", "statistics", {"count": large, "datasets": "new_year"}, keeps_cache=True, needs="before_new_year"),
        Run("gui", "gui", {"count": small}),
        Run("agreement", "agreement", {"count": small, "compared": scale.compared}, once=True),
        Run("qgis", "qgis_peer", {"count": small, "subset": scale.subset}, once=True),
        Run("rasterstats", "rasterstats_peer", {"count": small, "subset": scale.subset}, once=True),
        Run("huge", "statistics", {"count": huge, "datasets": "twelve", "limit_mb": LIMIT_MB}, once=True),
    ]


def only(every: list[Run], keys: set[str], say: Callable[[str], None]) -> list[Run]:
    """Return the runs with these keys and, in their order, those that they need; such a one runs once where what it leaves stays."""
    asked = [run for run in every if run.key in keys]
    wanted = []
    for run in every:
        users = [user for user in asked if user.needs == run.key]
        if run.key in keys:
            wanted.append(run)
        elif users:
            once = not any(user.keeps_cache for user in users)
            say(f"{run.key} runs {'once' if once else 'in every round'} as well: {', '.join(user.key for user in users)} read what it leaves")
            wanted.append(replace(run, once=once))
    return wanted


def measure(cache: Cache, wanted: list[Run], rounds: int, say: Callable[[str], None]) -> Results:
    """Run everything `rounds` times in turn; what is measured once is so in the first round."""
    results = Results()
    for number in range(rounds):
        results.loads.append(os.getloadavg()[0])
        say(f"Round {number + 1} of {rounds}, load {results.loads[-1]:.1f}")
        for run in wanted:
            if run.once and number:
                continue
            failed = run.needs in results.errors
            found = f"left out, because it reads what {run.needs} leaves, which failed" if failed else _child(cache, run)
            if isinstance(found, str):
                results.errors[run.key] = found
                say(f"  {run.key}: {found}")
                continue
            results.figures.setdefault(run.key, []).append(found)
            say(f"  {run.key:<20} wall {found['wall']:8.2f} s   CPU {found['cpu']:8.2f} s   memory +{found['memory']:.0f} MB")
    shutil.rmtree(cache.scratch, ignore_errors=True)
    return results


def _child(cache: Cache, run: Run) -> dict[str, Any] | str:
    plans = cache.scratch / "cache"
    if not run.keeps_cache:
        shutil.rmtree(plans, ignore_errors=True)
    for folder in (plans, cache.scratch / "home"):
        folder.mkdir(parents=True, exist_ok=True)
    arguments = json.dumps({"root": str(cache.root), "scale": cache.scale.name, **run.arguments})
    command = [sys.executable, "-m", "bench.child", run.module, arguments]
    done = subprocess.run(command, cwd=ROOT, env=_environment(cache), capture_output=True, text=True)
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines and lines[-1].startswith("{"):
        found: dict[str, Any] = json.loads(lines[-1])
        return found
    return (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]


def _environment(cache: Cache) -> dict[str, str]:
    """A home and a cache of the benchmark's own: nothing is found that a run did not make, and nothing of the user's is touched."""
    home = str(cache.scratch / "home")
    own = {"HOME": home, "XDG_RUNTIME_DIR": home, "XDG_CACHE_HOME": str(cache.scratch / "cache"), "QT_QPA_PLATFORM": "offscreen"}
    if os.path.isdir("/usr/share/proj"):  # pyproj in a virtual environment looks for it there
        own.setdefault("PROJ_DATA", "/usr/share/proj")
    return {**os.environ, **own, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))), "PYTHONWARNINGS": "ignore"}
