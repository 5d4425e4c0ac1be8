"""The Processing provider `epoch`: an explicit list of algorithms, and the shipped models."""

from __future__ import annotations

from qgis.core import QgsApplication, QgsProcessingModelAlgorithm, QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.settings import resource
from epoch_plugin.processing_algorithms.batch_biodiversity import BatchBiodiversity
from epoch_plugin.processing_algorithms.batch_biomass_emissions import BatchBiomassEmissions
from epoch_plugin.processing_algorithms.batch_deforestation_check import BatchDeforestationCheck
from epoch_plugin.processing_algorithms.batch_process import BatchProcess
from epoch_plugin.processing_algorithms.batch_progress import BatchProgress
from epoch_plugin.processing_algorithms.batch_water import BatchWater
from epoch_plugin.processing_algorithms.batch_zonal_stats import BatchZonalStats
from epoch_plugin.processing_algorithms.cancel_job import CancelJob
from epoch_plugin.processing_algorithms.check_datasets import CheckDatasets
from epoch_plugin.processing_algorithms.collection_project import CollectionProject
from epoch_plugin.processing_algorithms.collection_report import CollectionReport
from epoch_plugin.processing_algorithms.delete_collection import DeleteCollection
from epoch_plugin.processing_algorithms.edit_collection import EditCollection
from epoch_plugin.processing_algorithms.fetch_biodiversity import FetchBiodiversity
from epoch_plugin.processing_algorithms.fetch_biomass_emissions import FetchBiomassEmissions
from epoch_plugin.processing_algorithms.fetch_deforestation_check import FetchDeforestationCheck
from epoch_plugin.processing_algorithms.fetch_plots import FetchPlots
from epoch_plugin.processing_algorithms.fetch_supply_shed import FetchSupplyShed
from epoch_plugin.processing_algorithms.fetch_water_stress import FetchWaterStress
from epoch_plugin.processing_algorithms.get_collections import GetCollections
from epoch_plugin.processing_algorithms.stage_plots import StagePlots
from epoch_plugin.processing_algorithms.upload_plots import UploadPlots

ALGORITHMS = (
    StagePlots,
    UploadPlots,
    GetCollections,
    EditCollection,
    DeleteCollection,
    BatchDeforestationCheck,
    BatchZonalStats,
    BatchBiomassEmissions,
    BatchBiodiversity,
    BatchWater,
    BatchProcess,
    BatchProgress,
    CancelJob,
    FetchDeforestationCheck,
    FetchBiomassEmissions,
    FetchBiodiversity,
    FetchWaterStress,
    FetchPlots,
    FetchSupplyShed,
    CheckDatasets,
    CollectionReport,
    CollectionProject,
)
MODELS = ("deforestation_check.model3",)


class ShippedModel(QgsProcessingModelAlgorithm):
    """A model that the plugin brings along: in the Toolbox under a readable name, while its id stays short."""

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return tr("Deforestation check from a plots file (model)", "ShippedModel")

    def groupId(self) -> str:
        """Return the id of the group that the algorithms are in; a model's own would be a second group of the same name."""
        return self.group().lower()

    def icon(self) -> QIcon:
        """Return the plugin's icon."""
        return QIcon(resource("icons", "epoch.svg"))


class EpochProvider(QgsProcessingProvider):
    """Offers the algorithms of the contract under the id `epoch`."""

    def id(self) -> str:
        """Return the first part of every algorithm's id."""
        return "epoch"

    def name(self) -> str:
        """Return the name in the Toolbox."""
        return "Epoch"

    def longName(self) -> str:
        """Return the name where there is room."""
        return "Epoch for QGIS"

    def icon(self) -> QIcon:
        """Return the plugin's icon."""
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        """Return the icon's file."""
        return resource("icons", "epoch.svg")

    def loadAlgorithms(self) -> None:
        """Create the algorithms; models come last because they look the others up."""
        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())
        if QgsApplication.processingRegistry().providerById(self.id()) is not self:
            return  # not registered yet: a model would not find its steps (the plugin refreshes once it is)
        for name in MODELS:
            model = ShippedModel()
            if model.fromFile(resource("models", name)):
                self.addAlgorithm(model)
