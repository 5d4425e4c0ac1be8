"""Thresholds of METHODS as advanced parameters: setting `min_systems` is parameter MIN_SYSTEMS, with the same default and bounds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingParameterNumber, QgsProcessingParameterString

from epoch_plugin.core.settings import Settings
from epoch_plugin.processing_algorithms.base import ADVANCED, EpochAlgorithm

DEFORESTATION = (
    "min_systems",
    "min_valid_fraction",
    "min_noncompliance_ha",
    "low_critical_ha",
    "low_critical_share",
    "low_agreement",
    "high_agreement",
    "high_systems",
    "rotation_share",
    "persistence_years",
)

BIOMASS = ("root_shoot", "carbon_fraction", "rho", "min_valid_fraction", "persistence_years")

BIODIVERSITY = ("rao_window", "rao_alpha", "rao_reference_m", "tree_height_m", "connectivity_radius_m")

WATER = ("reference_years",)


def add_settings(algorithm: EpochAlgorithm, names: Iterable[str]) -> None:
    """Declare one advanced number or text per setting."""
    known = {item.name: item for item in dataclasses.fields(Settings)}
    for name in names:
        item = known[name]
        label = f"{algorithm.tr(item.metadata['meaning']).capitalize()} ({item.metadata['unit']})"
        parameter = _text(item, label) if isinstance(item.default, str) else _number(item, label)
        parameter.setFlags(parameter.flags() | ADVANCED)
        algorithm.addParameter(parameter)


def _text(item: dataclasses.Field[Any], label: str) -> QgsProcessingParameterString:
    return QgsProcessingParameterString(item.name.upper(), label, item.default)


def _number(item: dataclasses.Field[Any], label: str) -> QgsProcessingParameterNumber:
    whole = isinstance(item.default, int)
    number = QgsProcessingParameterNumber.Type
    parameter = QgsProcessingParameterNumber(item.name.upper(), label, number.Integer if whole else number.Double, item.default)
    if not whole:
        parameter.setMetadata({"widget_wrapper": {"decimals": 4}})
    if item.metadata["low"] is not None:
        parameter.setMinimum(item.metadata["low"])
    if item.metadata["high"] is not None:
        parameter.setMaximum(item.metadata["high"])
    return parameter


def read_settings(algorithm: EpochAlgorithm, parameters: dict[str, Any], names: Iterable[str], context: QgsProcessingContext) -> Settings:
    """Return the settings of a run; raises `InputError` on a value out of bounds."""
    defaults = Settings()
    values: dict[str, Any] = {}
    for name in names:
        text = isinstance(getattr(defaults, name), str)
        values[name] = (algorithm.parameterAsString if text else algorithm.parameterAsDouble)(parameters, name.upper(), context)
    return Settings.from_dict(values)
