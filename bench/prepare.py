"""Everything that runs need, made once and kept in the cache: layers, datasets files, plots, stores."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from bench import bindings
from bench.make_layers import write_layer
from bench.make_plots import write_plots
from bench.scale import Cache
from bench.stack import BESIDE, FORTY

MAKERS = ("noise.py", "recipes.py", "stack.py", "make_layers.py", "make_plots.py")


def prepare(cache: Cache, say: Callable[[str], None]) -> None:
    """Make what is missing; data of an older generator are thrown away."""
    stamp = cache.folder / "generator"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != _generator():
        shutil.rmtree(cache.folder, ignore_errors=True)
    cache.layers.mkdir(parents=True, exist_ok=True)
    stamp.write_text(_generator(), encoding="utf-8")
    missing = [layer for layer in (*FORTY, *BESIDE) if not cache.layer(layer.name).exists()]
    started = time.perf_counter()
    for layer in missing:
        ratio = write_layer(layer, cache.scale.degrees, cache.layer(layer.name))
        if layer in FORTY:
            say(f"  {layer.grid:>6}  {layer.name:<20} {layer.role:<30} {ratio:5.1f}x smaller")
    if missing:
        say(f"  {len(missing)} layers in {time.perf_counter() - started:.0f} s")
    bindings.write_all(cache.layers)
    for count in cache.scale.plots:
        if not cache.store(count).exists():
            started = time.perf_counter()
            _stage(cache, count)
            say(f"  {count:,} plots made and staged in {time.perf_counter() - started:.0f} s")
        _update(cache.store(count))


def _generator() -> str:
    here = Path(__file__).parent
    return hashlib.sha256(b"".join((here / name).read_bytes() for name in MAKERS)).hexdigest()


def _stage(cache: Cache, count: int) -> None:
    from epoch_plugin.core.collections.plots import StageOptions
    from epoch_plugin.core.collections.readers import open_source
    from epoch_plugin.core.progress import NoProgress
    from epoch_plugin.core.staging import StageRequest, stage_plots, upload_plots
    from epoch_plugin.core.store.store import Store

    file, target = cache.folder / f"plots_{count}.gpkg", cache.store(count)
    if not file.exists():
        write_plots(file, count, cache.scale.degrees)
    partial = target.with_name(f"partial_{target.name}")
    partial.unlink(missing_ok=True)
    store = Store(str(partial))
    request = StageRequest(collection_name="bench", crop_type="cocoa", country="CI", options=StageOptions(plot_id_field="plotId"))
    staged = stage_plots(store, open_source(str(file)), request, NoProgress())
    if staged.plot_count != count:
        raise RuntimeError(f"{staged.plot_count} of {count} plots were staged: {staged.invalid[:1]}")
    upload_plots(store, "bench", False, None, NoProgress())
    file.unlink()
    copy_store(partial, target)
    partial.unlink()


def _update(path: Path) -> None:
    """Bring a store to the version of this checkout, so that no run does."""
    from epoch_plugin.core.store.store import Store

    Store(str(path))
    for backup in path.parent.glob(f"{path.name}.v*.gpkg"):
        backup.unlink()


def processed_store(cache: Cache, name: str) -> Path:
    """Return the store that the run `deforestation_large` of this round left under a name."""
    path = cache.scratch / f"{name}.gpkg"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: the run deforestation_large leaves it (python -m bench --only makes it run as well)")
    return path


def copy_store(source: Path, target: Path) -> None:
    """Copy a store with what its log still holds."""
    import sqlite3

    with sqlite3.connect(source) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for leftover in (target, target.with_name(f"{target.name}-wal"), target.with_name(f"{target.name}-shm")):
        leftover.unlink(missing_ok=True)
    shutil.copyfile(source, target)
