"""A pytest plugin (`-p tests.no_qgis`) under which `import qgis` fails, as on a cluster node: the core must not notice."""

import sys
from importlib.abc import MetaPathFinder


class _NoQgis(MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] in ("qgis", "PyQt5", "PyQt6"):
            raise ModuleNotFoundError(f"{fullname} is not available in this run (tests/no_qgis.py)", name=fullname)


sys.meta_path.insert(0, _NoQgis())
