"""pyproj in QGIS's worker threads, which serve one task after the other (pyproj 3.7 crashes there by itself)."""

from __future__ import annotations

from epoch_plugin.bridge.tasks import in_background


def test_one_task_after_the_other_uses_pyproj(qgis_app, qtbot):
    def name_of_wgs84(progress):
        import pyproj

        return pyproj.CRS.from_user_input("EPSG:4326").name

    answers = []
    for number in range(1, 6):
        in_background("pyproj", name_of_wgs84, lambda *answer: answers.append(answer))
        qtbot.waitUntil(lambda number=number: len(answers) == number, timeout=10_000)
    assert answers == [("WGS 84", None)] * 5
