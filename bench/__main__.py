"""`python -m bench [--quick]`: make the data, measure, print the table, keep it in docs/performance.md (full size only)."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench import prepare, rounds, table
from bench.scale import FULL, QUICK, Cache, default_root

PAGE = rounds.ROOT / "docs" / "performance.md"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small landscape and one round: shows that the benchmark works")
    parser.add_argument("--rounds", type=int, help="how many interleaved rounds")
    parser.add_argument("--only", help="names of runs, separated by commas (what they need runs as well); the page is left as it is")
    parser.add_argument("--page", type=Path, help="the document that gets the table")
    given = parser.parse_args()
    scale = QUICK if given.quick else FULL
    cache = Cache(default_root(), scale)
    say(f"Data in {cache.folder}")
    prepare.prepare(cache, say)
    wanted = rounds.runs(cache)
    if given.only:
        keys = set(given.only.split(","))
        unknown = keys - {run.key for run in wanted}
        if unknown:
            parser.error(f"no run is called {', '.join(sorted(unknown))}; there are {', '.join(run.key for run in wanted)}")
        wanted = rounds.only(wanted, keys, say)
    results = rounds.measure(cache, wanted, given.rounds or scale.rounds, say)
    text = table.markdown(cache, results)
    print(text)
    page = given.page or (None if given.quick or given.only else PAGE)
    if page is not None:
        table.write(page, text)


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
