"""The executor is chosen, in Processing's own dialog and on the options page, and a wrong one is refused in words before any work."""

from __future__ import annotations

import os

import pytest
from qgis.core import QgsApplication, QgsProcessingContext
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QWidget

from epoch_plugin.bridge import preferences
from epoch_plugin.bridge.settings import resource

ADDRESS = "tcp://10.0.0.5:8786"


@pytest.fixture
def dialog(plugin, qtbot, monkeypatch):
    """The dialog that Processing shows for a batch."""
    from processing.gui import ParametersPanel
    from processing.gui.AlgorithmDialog import AlgorithmDialog

    monkeypatch.setattr(ParametersPanel, "iface", None)  # there is no main window to take layers from
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("epoch:batchdeforestationcheck")
    dialog = AlgorithmDialog(algorithm)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def choose_dask(edit, address, qtbot):
    edit.choice.setFocus()
    qtbot.keyClick(edit.choice, Qt.Key.Key_Down)
    edit.address.clear()
    qtbot.keyClicks(edit.address, address)


def test_processings_dialog_offers_this_computer_and_a_cluster(dialog, qtbot):
    wrapper = dialog.mainWidget().wrappers["EXECUTOR"]
    edit = wrapper.widget
    assert wrapper.parameterValue() == "threads" and edit.address.isHidden() and not edit.problem()
    choose_dask(edit, "10.0.0.5", qtbot)
    assert "with its port" in edit.words.text() and not edit.words.isHidden()
    choose_dask(edit, ADDRESS, qtbot)
    assert wrapper.parameterValue() == f"dask:{ADDRESS}" and edit.words.isHidden()
    wrapper.setParameterValue("thread", QgsProcessingContext())  # of a script or an old history
    assert edit.address.text() == "thread" and edit.problem() and wrapper.parameterValue() == "dask:thread"
    wrapper.setParameterValue("threads", QgsProcessingContext())
    assert wrapper.parameterValue() == "threads" and not edit.problem()


@pytest.mark.parametrize("name", ["thread", "Threads", "dask", "dask:", "dask:10.0.0.5", "dask:http://10.0.0.5:8787", "dask:tcp:/10.0.0.5:8786"])
def test_what_is_no_executor_is_refused_before_anything_is_written(plugin, name, tmp_path):
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("epoch:batchprocess")
    parameters = {
        "INPUT_FILE": resource("sample", "plots.geojson"), "COLLECTION_NAME": "sample", "DATASETS": resource("sample", "datasets.json"),
        "STORE": str(tmp_path / "store.gpkg"), "EXECUTOR": name,
    }  # fmt: skip
    fine, words = algorithm.checkParameterValues(parameters, QgsProcessingContext())
    assert not fine and f"'{name}'" in words and "use 'threads' or 'dask:<scheduler address>'" in words
    assert algorithm.checkParameterValues({**parameters, "EXECUTOR": f"dask:{ADDRESS}"}, QgsProcessingContext())[0]
    assert not os.path.exists(tmp_path / "store.gpkg")


def test_the_options_page_keeps_an_address_and_refuses_half_of_one(plugin, qtbot):
    from epoch_plugin.ui.options.factory import OptionsFactory

    window = QWidget()
    qtbot.addWidget(window)
    page = OptionsFactory().createWidget(window)
    window.show()
    choose_dask(page.executor, "10.0.0.5", qtbot)
    assert not page.isValid() and "with its port" in page.executor.words.text()
    choose_dask(page.executor, f"dask:{ADDRESS}", qtbot)  # as the manual writes it
    assert page.isValid()
    page.apply()
    assert preferences.get(preferences.EXECUTOR) == f"dask:{ADDRESS}"
    again = OptionsFactory().createWidget(window)
    assert again.executor.value() == f"dask:{ADDRESS}"
    again.executor.choice.setCurrentIndex(0)
    again.apply()
    assert preferences.get(preferences.EXECUTOR) == "threads"
