"""A 200 MB GeoJSON stages within 1 GB of memory, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MEGABYTES = 200
VERTICES = 35

STAGE = """
import json, sys
from epoch_plugin.core.collections.readers import open_source
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.staging import StageRequest, stage_plots
from epoch_plugin.core.store.store import Store
result = stage_plots(Store(sys.argv[2]), open_source(sys.argv[1]), StageRequest("big"), NoProgress())
# VmHWM, not getrusage: that one remembers how large the parent was when it started this process
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"plots": result.plot_count, "peak_mb": int(peak.split()[1]) / 1024}))
"""


def write_plots(path):
    """Write small plots on a lattice until the file has its size; return their number."""
    import math

    circle = [(math.cos(2 * math.pi * k / VERTICES) * 4e-4, math.sin(2 * math.pi * k / VERTICES) * 4e-4) for k in range(VERTICES)]
    number = 0
    with open(path, "w") as file:
        file.write('{"type":"FeatureCollection","features":[\n')
        while file.tell() < MEGABYTES * 1_000_000:
            lon, lat = -8 + (number % 2000) * 0.001, 5 + (number // 2000) * 0.001
            ring = [[lon + dx, lat + dy] for dx, dy in circle]
            item = {"type": "Feature", "properties": {"plotid": f"p{number}", "farmer": "x" * 40},
                    "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}}  # fmt: skip
            file.write((",\n" if number else "") + json.dumps(item))
            number += 1
        file.write("]}\n")
    return number


@pytest.mark.slow
def test_a_200_mb_geojson_stages_within_1_gb(tmp_path):
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of a process's memory is read from /proc")
    path = tmp_path / "big.geojson"
    number = write_plots(path)
    command = [sys.executable, "-c", STAGE, str(path), str(tmp_path / "store.gpkg")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["plots"] == number
    assert result["peak_mb"] < 1000, result
