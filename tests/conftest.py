"""Every test runs offscreen, in a home, QGIS profile and store of its own; nothing of the user's is read or written."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

# Set before any plugin starts Qt or QGIS: pytest-qgis does so while pytest configures itself.
_HOME = tempfile.mkdtemp(prefix="epoch-tests-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.makedirs(os.path.join(_HOME, "run"), mode=0o700)
os.environ.update(HOME=_HOME, XDG_RUNTIME_DIR=os.path.join(_HOME, "run"), EPOCH_STORE=os.path.join(_HOME, "store.gpkg"))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if os.path.isdir("/usr/share/proj"):  # pyproj inside a venv looks for PROJ's data under the venv
    os.environ.setdefault("PROJ_DATA", "/usr/share/proj")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout's folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the real data and the contract beside the checkout; the test is skipped where it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs ../shared (real data and the contract), which is not beside this checkout")
    return folder
