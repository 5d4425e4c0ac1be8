"""Print what an analyst wants to read after `make demo`: the report's lines, then where the files are."""

from __future__ import annotations

import json
import sys
from pathlib import Path

WHAT = {
    "plots.gpkg": "layer of the deforestation check",
    "plots.ndjson": "the same, one GeoJSON feature a line",
    "all_statistics.gpkg": "layer with the results of all statistics",
    "all_statistics.ndjson": "the same, one GeoJSON feature a line",
    "aggregate.ndjson": "all plots in one row",
    "regions.ndjson": "supply base and administrative areas, with their reference areas",
    "vavoua_sample.qgz": "project: open it in QGIS",
    "vavoua_sample.html": "one-page report: open it in a browser",
    "collections.gpkg": "the store",
}


def main(report: str, folder: str) -> None:
    """Print the lines of a report's JSON answer and the files of a folder."""
    results = json.loads(Path(report).read_text(encoding="utf-8"))["results"]
    print(f"\n{results['SUMMARY']}\n")
    for name, what in WHAT.items():
        path = Path(folder) / name
        if not path.is_file():
            raise SystemExit(f"{path} was not written.")
        print(f"{path}  {what}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
