"""The provider: every algorithm of the contract, with help that names each of its parameters and outputs."""

from __future__ import annotations

import json
import re

import pytest

from epoch_plugin.bridge.help import to_html
from epoch_plugin.bridge.settings import resource

NAMES = ("stageplots", "uploadplots", "getcollections", "editcollection", "deletecollection", "batchdeforestationcheck", "batchbiodiversity",
         "batchzonalstats", "batchbiomassemissions", "batchwater", "batchprocess", "fetchsupplyshed", "fetchbiomassemissions", "fetchwaterstress",
         "batchprogress", "canceljob", "fetchdeforestationcheck", "fetchbiodiversity", "fetchplots", "checkdatasets", "collectionreport",
         "collectionproject")  # fmt: skip
GROUPS = {"Collections", "Batch", "Fetch", "Datasets", "Reports"}


@pytest.fixture(scope="module")
def registry(plugin):
    from qgis.core import QgsApplication

    return QgsApplication.processingRegistry()


def test_provider_has_its_algorithms_and_the_model(registry, plugin):
    assert registry.providerById("epoch") is plugin.provider
    assert not plugin.provider.icon().isNull()
    assert {algorithm.name() for algorithm in plugin.provider.algorithms()} == {*NAMES, "deforestation_check"}


def test_a_group_of_the_toolbox_stands_there_once(plugin):
    groups = {(algorithm.groupId(), algorithm.group()) for algorithm in plugin.provider.algorithms()}
    assert {name for _, name in groups} == GROUPS and len(groups) == len(GROUPS)


@pytest.mark.parametrize("name", NAMES)
def test_algorithm_explains_itself(registry, name):
    algorithm = registry.createAlgorithmById(f"epoch:{name}")
    assert algorithm.group() in GROUPS and algorithm.groupId() == algorithm.group().lower()
    assert algorithm.displayName()[0].isupper() and not algorithm.icon().isNull()
    with open(resource("help", f"{name}.md"), encoding="utf-8") as file:
        text = file.read()
    documented = set(re.findall(r"`([A-Z_]+)`", text))
    declared = {definition.name() for definition in (*algorithm.parameterDefinitions(), *algorithm.outputDefinitions())}
    assert declared - documented == set(), "not explained"
    assert documented - declared - {"EPOCH_STORE"} == set(), "explained, but not there"
    assert f"qgis_process run epoch:{name}" in text or f"qgis_process --json run epoch:{name}" in text
    assert to_html(text) in algorithm.shortHelpString()
    assert algorithm.parameterDefinition("STORE") is not None


def test_contract_is_met(registry, shared):
    contract = json.loads((shared / "contract.json").read_text(encoding="utf-8"))
    for name, wanted in contract.items():
        if "needs" in wanted:
            continue
        algorithm = registry.algorithmById(f"epoch:{name}")
        assert algorithm is not None, name
        assert set(wanted["params"]) <= {definition.name() for definition in algorithm.parameterDefinitions()}, name
        assert set(wanted["outputs"]) <= {definition.name() for definition in algorithm.outputDefinitions()}, name


def test_settings_keep_their_defaults_as_parameters(registry):
    from epoch_plugin.core.settings import Settings

    algorithm = registry.algorithmById("epoch:batchdeforestationcheck")
    for name, value in (("min_systems", 2), ("min_valid_fraction", 0.95), ("min_noncompliance_ha", 0.01), ("persistence_years", 2)):
        assert getattr(Settings(), name) == value == algorithm.parameterDefinition(name.upper()).defaultValue()


def test_plugin_starts_once_and_unloads_twice(plugin):
    """A second provider of the same id is refused by QGIS, and unloading what was never added does nothing."""
    from qgis.core import QgsApplication

    from epoch_plugin.plugin import EpochPlugin

    second = EpochPlugin(None)
    second.initProcessing()
    assert second.provider is None
    second.unload()
    assert QgsApplication.processingRegistry().providerById("epoch") is plugin.provider


def test_help_becomes_html():
    text = "Intro with `CODE` & more.\n\n## Inputs\n\n- `A`: one\n  line\n- **B**\n\n    qgis_process run x -- A=<1>\n"
    assert to_html(text) == (
        "<p>Intro with <code>CODE</code> &amp; more.</p>\n<h3>Inputs</h3>\n<ul><li><code>A</code>: one line</li><li><b>B</b></li></ul>\n"
        "<pre>qgis_process run x -- A=&lt;1&gt;</pre>"
    )


def test_a_missing_library_is_named_with_how_to_get_it(run, monkeypatch):
    from qgis.core import QgsProcessingException

    error = ModuleNotFoundError("No module named 'shapely'", name="shapely")
    monkeypatch.setattr("epoch_plugin.processing_algorithms.stage_plots.StagePlots.execute", lambda *_: (_ for _ in ()).throw(error))
    with pytest.raises(QgsProcessingException, match="sudo apt install python3-shapely"):
        run("stageplots", INPUT_FILE=resource("sample", "plots.geojson"), COLLECTION_NAME="c")
