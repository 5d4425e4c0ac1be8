"""Every parameter that the API's pages name is a parameter of the algorithm of that name, with the page's default."""

from __future__ import annotations

import re

import pytest
from qgis.core import QgsApplication

RENAMED = {"filename": "COLLECTION", "date": "END_DATE"}  # words of the API, and the contract's for them
BY_TABLE = {
    "fetch_deforestation_check": "fetchdeforestationcheck", "fetch_biomass_emissions": "fetchbiomassemissions",
    "fetch_biodiversity": "fetchbiodiversity", "batch_process": "batchprocess",
}  # fmt: skip


def page(shared, name):
    return (shared / "reference" / "epoch" / f"{name}.txt").read_text(encoding="utf-8")


def parameters(algorithm):
    found = QgsApplication.processingRegistry().algorithmById(f"epoch:{algorithm}")
    assert found is not None, algorithm
    return {definition.name(): definition for definition in found.parameterDefinitions()}


def documented(text):
    """{parameter: default} of a page's table: `name | type | required | default | ...` over one line or several, or columns by spaces."""
    rows = re.findall(r"^(\w+) \|\n?\s*([\w/]+) \| (?:Yes|No) \| ([^|]+) \|", text, re.M)
    rows += re.findall(r"^(\w+) (string|integer|boolean) (?:No|Yes) (\S+) ", text, re.M)
    return {name: default.strip().strip('"') for name, _, default in rows}


@pytest.mark.parametrize("name", BY_TABLE)
def test_parameters_of_a_page(plugin, shared, name):
    wanted, known = documented(page(shared, name)), parameters(BY_TABLE[name])
    assert len(wanted) >= 6
    for parameter, default in wanted.items():
        definition = known.get(RENAMED.get(parameter, parameter.upper()))
        assert definition is not None, parameter
        if default in ("true", "false"):
            assert definition.defaultValue() is (default == "true"), parameter
        elif "," in default:
            assert definition.defaultValue() == default, parameter


def test_requests_of_the_batch_page(plugin, shared):
    text = page(shared, "batch_zonal_stats")
    endpoints = set(re.findall(r"epoch-sco2-api\.com/(batch_\w+)", text)) | {"batch_zonal_stats"}
    assert {"batch_biodiversity", "batch_biomass_emissions", "batch_deforestation_check"} <= endpoints
    named = set(re.findall(r"[\"'](filename|date|start_date)[\"']:", text))
    assert named == {"filename", "date", "start_date"}
    wanted = {RENAMED.get(name, name.upper()) for name in named}
    for endpoint in endpoints:
        assert wanted <= set(parameters(endpoint.replace("_", ""))), endpoint
