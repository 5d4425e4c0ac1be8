#!/usr/bin/env python3
"""Write epoch_plugin/resources/models/deforestation_check.model3, the main chain as a model (stage, upload, batch, fetch).

Run with QGIS's Python, the oldest version that the plugin serves: QT_QPA_PLATFORM=offscreen python3 scripts/make_model.py
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "epoch_plugin" / "resources" / "models" / "deforestation_check.model3"
os.environ["QT_HASH_SEED"] = "0"  # attributes in the same order every time
os.environ["QGIS_CUSTOM_CONFIG_PATH"] = tempfile.mkdtemp()
sys.path.insert(0, str(ROOT))

from qgis.core import (  # noqa: E402
    QgsApplication,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QPointF  # noqa: E402

# Model inputs, in the order of the dialog.
INPUTS = (
    QgsProcessingParameterFile("INPUT_FILE", "Plots: file"),
    QgsProcessingParameterString("COLLECTION_NAME", "Name of the collection"),
    QgsProcessingParameterString("CROP_TYPE", "Crop: palm, cocoa, rubber, coffee, soy, cattle, timber", optional=True),
    QgsProcessingParameterString("COUNTRY", "Declared country (name or ISO code)", optional=True),
    QgsProcessingParameterFile("DATASETS", "Datasets file (JSON)", extension="json"),
    QgsProcessingParameterDateTime(
        "END_DATE", "Monitoring ends on (empty: today)", QgsProcessingParameterDateTime.Type.Date, None, optional=True
    ),
    QgsProcessingParameterFile("STORE", "Store (GeoPackage); empty: EPOCH_STORE, the setting, or the profile's", extension="gpkg", optional=True),
)
CHAIN = ("stageplots", "uploadplots", "batchdeforestationcheck", "fetchdeforestationcheck")
# step -> output -> label of the model's final results
OUTPUTS = {
    "stageplots": {"INVALID": "Plots that were kept out", "REPORT": "Report of staging"},
    "fetchdeforestationcheck": {"OUTPUT": "Plots with results", "NDJSON": "Plots with results as NDJSON"},
}
HELP = {
    "ALG_DESC": "The whole way from a file of plots to a styled layer: stage, upload, deforestation check since 31 December 2020, fetch. "
    "Open it in the model designer to see how the steps hand on the collection and the job, and to build your own.",
    "INPUT_FILE": "GeoJSON, CSV, Shapefile, GeoPackage, GeoParquet, KML or XLSX.",
    "DATASETS": "Binds roles such as forest_2020 and glad to your rasters; see Check datasets.",
}


def model_input(name: str) -> list:
    """Return a source that takes a model input."""
    return [QgsProcessingModelChildParameterSource.fromModelParameter(name)]


def step_output(step: str, name: str) -> list:
    """Return a source that takes a result of an earlier step."""
    return [QgsProcessingModelChildParameterSource.fromChildOutput(step, name)]


def static(value) -> list:
    """Return a source that is always the same."""
    return [QgsProcessingModelChildParameterSource.fromStaticValue(value)]


def sources() -> dict:
    """Return, per step, where each parameter comes from; every parameter that is not named keeps its default."""
    return {
        "stageplots": {name: model_input(name) for name in ("INPUT_FILE", "COLLECTION_NAME", "CROP_TYPE", "COUNTRY", "STORE")},
        "uploadplots": {"COLLECTION": step_output("stageplots", "COLLECTION_ID"), "STORE": model_input("STORE")},
        "batchdeforestationcheck": {
            "COLLECTION": step_output("uploadplots", "COLLECTION_ID"),
            "DATASETS": model_input("DATASETS"),
            "END_DATE": model_input("END_DATE"),
            "STORE": model_input("STORE"),
        },
        "fetchdeforestationcheck": {
            "COLLECTION": step_output("stageplots", "COLLECTION_ID"),
            "JOB_ID": step_output("batchdeforestationcheck", "JOB_ID"),
            "LIMIT": static(0),
            "STORE": model_input("STORE"),
        },
    }


def build() -> QgsProcessingModelAlgorithm:
    """Return the model."""
    model = QgsProcessingModelAlgorithm("Deforestation check from a plots file", "Collections", "collections")
    model.setName("deforestation_check")
    model.setGroup("Batch")
    for place, parameter in enumerate(INPUTS):
        component = QgsProcessingModelParameter(parameter.name())
        component.setPosition(QPointF(150 + 230 * place, 60))
        model.addModelParameter(parameter.clone(), component)
    for place, (step, wanted) in enumerate(sources().items()):
        child = QgsProcessingModelChildAlgorithm(f"epoch:{step}")
        child.setChildId(step)
        child.setDescription(child.algorithm().displayName())
        child.setPosition(QPointF(300 + 260 * place, 240 + 120 * place))
        for name, source in wanted.items():
            child.addParameterSources(name, source)
        child.setModelOutputs({name: output(step, name, label) for name, label in OUTPUTS.get(step, {}).items()})
        model.addChildAlgorithm(child)
    model.setHelpContent(HELP)
    model.setParameterOrder([parameter.name() for parameter in INPUTS])
    return model


def output(step: str, name: str, label: str) -> QgsProcessingModelOutput:
    """Return a final result of the model."""
    result = QgsProcessingModelOutput(name)
    result.setDescription(label)
    result.setChildId(step)
    result.setChildOutputName(name)
    result.setPosition(QPointF(700 + 350 * CHAIN.index(step), 240 + 120 * CHAIN.index(step) + (0 if name in ("OUTPUT", "INVALID") else 70)))
    return result


def main() -> None:
    """Register the provider, build the model and save it."""
    application = QgsApplication([], False)
    application.initQgis()
    from epoch_plugin.processing_algorithms.provider import EpochProvider

    provider = EpochProvider()
    QgsApplication.processingRegistry().addProvider(provider)
    model = build()
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    if not model.toFile(str(TARGET)):
        raise SystemExit(f"{TARGET.name} could not be written")
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes; outputs: {', '.join(o.name() for o in model.outputDefinitions())}")
    application.exitQgis()


if __name__ == "__main__":
    main()
