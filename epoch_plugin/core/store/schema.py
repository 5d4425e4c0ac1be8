"""Every table and column of the store: the only place that spells them."""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA_VERSION = 2


@dataclass(frozen=True)
class Column:
    """One column: `type` is TEXT, REAL, INTEGER, DATE, DATETIME, BLOB or JSON (kept as TEXT, always valid JSON)."""

    name: str
    type: str
    alias: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """One table: `kind` is `attributes` or `features` (then it has `geom`, EPSG:4326 MULTIPOLYGON); `key` is UNIQUE."""

    name: str
    kind: str
    title: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    indexes: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """Return the column called `name`; raise KeyError if there is none."""
        return self.by_name[name]

    @property
    def by_name(self) -> dict[str, Column]:
        """Columns by name, in table order, without `fid` and `geom`."""
        return {column.name: column for column in self.columns}


def _text(name: str, alias: str = "") -> Column:
    return Column(name, "TEXT", alias)


def _real(name: str, alias: str = "", unit: str = "") -> Column:
    return Column(name, "REAL", alias, unit)


def _whole(name: str, alias: str = "", unit: str = "") -> Column:
    return Column(name, "INTEGER", alias, unit)


def _date(name: str, alias: str = "") -> Column:
    return Column(name, "DATE", alias)


def _time(name: str, alias: str = "") -> Column:
    return Column(name, "DATETIME", alias)


def _json(name: str, alias: str = "", unit: str = "") -> Column:
    return Column(name, "JSON", alias, unit)


_WINDOW = (
    _date("monitoring_start", "Monitoring start"),
    _date("monitoring_end", "Monitoring end"),
    _date("assessed_end", "Assessed until"),
)
_EVIDENCE = (
    _json("coverage", "Share of the plot with data, per role"),
    _real("valid_fraction", "Share of the plot assessed", "0-1"),
    _json("reasons", "Reasons"),
    _text("job_id", "Job"),
)

DEFORESTATION = (
    _real("forest_area", "Forest on 31 December 2020", "ha"),
    _real("noncompliance_area", "Non-compliance area", "ha"),
    _real("noncompliance_area_perc", "Non-compliance share of the plot", "0-1"),
    _date("deforestation_start", "First loss"),
    _date("deforestation_end", "Last loss"),
    _real("uncertainty_rrmse", "Relative RMSE between systems", "ratio"),
    _text("deforestation_confidence", "Confidence"),
    _text("deforestation_alert", "Alert"),
    _json("agreement", "Agreement of each system", "0-1"),
    _json("overlap", "Overlap with other layers", "ha"),
    _json("annual_defor", "Forest loss per year", "ha"),
    _real("detected_area", "Forest loss seen by any system", "ha"),
    _json("system_defor", "Forest loss per system and year", "ha"),
    _real("tmf_degraded_ha", "Degraded forest (TMF)", "ha"),
)
EMISSIONS = (
    _real("luc_tco2eyear", "Land use change (loss negative, gain positive)", "tCO2e/year"),
    _real("luc_tco2ehayear", "Land use change per ha (loss negative, gain positive)", "tCO2e/ha/year"),
    _real("luc_uncertainty_sd", "Land use change, standard deviation", "tCO2e/year"),
    _real("biogenic_tco2eyear", "Biogenic without land use change (loss negative, gain positive)", "tCO2e/year"),
    _real("biogenic_tco2ehayear", "Biogenic per ha (loss negative, gain positive)", "tCO2e/ha/year"),
    _real("biogenic_uncertainty_sd", "Biogenic, standard deviation", "tCO2e/year"),
    _real("soc_tco2eyear", "Soil organic carbon (loss negative, gain positive)", "tCO2e/year"),
    _real("soc_tco2ehayear", "Soil organic carbon per ha (loss negative, gain positive)", "tCO2e/ha/year"),
    _real("removal_tco2eyear", "Removal (part of biogenic)", "tCO2e/year"),
    _real("removal_tco2ehayear", "Removal per ha (part of biogenic)", "tCO2e/ha/year"),
    _real("removal_uncertainty_sd", "Removal, standard deviation", "tCO2e/year"),
    _real("luc_amortised_tco2eyear", "Land use change spread over 20 years", "tCO2e/year"),
    _real("luc_amortised_tco2ehayear", "Land use change spread over 20 years, per ha", "tCO2e/ha/year"),
    _whole("amortisation_years", "Years seen of the 20", "years"),
    _json("stock_years", "Years of the two stocks compared"),
    _json("annual_agb", "Above-ground biomass per year", "tCO2e/ha"),
    _json("annual_bgb", "Below-ground biomass per year", "tCO2e/ha"),
    _json("annual_soc", "Soil organic carbon per year", "tCO2e/ha"),
    _json("annual_lc", "Land cover class per year", "class"),
)
BIODIVERSITY = (
    _real("diversity_score", "Diversity score", "0-1"),
    _real("uncertainty_sd", "Spatial standard deviation of Rao's Q", "m"),
    _json("annual_chm", "Canopy height per year", "m"),
)
WATER = (
    _real("water_stress_index", "Water stress index", "0-5"),
    _real("precipitation_pet_ratio", "Precipitation / potential evapotranspiration", "ratio"),
    _text("aridity_class", "Aridity class (UNEP)"),
    _real("soil_moisture_percentile", "Soil moisture percentile", "0-100"),
    _real("evapotranspiration_anomaly", "Evapotranspiration anomaly", "standard deviations"),
    _json("annual_precipitation_pet_ratio", "Precipitation / PET per year", "ratio"),
    _json("annual_soil_moisture_percentile", "Soil moisture percentile per year", "0-100"),
    _json("annual_evapotranspiration_anomaly", "Evapotranspiration anomaly per year", "standard deviations"),
)
EXTRA = (_json("extra", "Statistics of further layers: role, statistic, value"),)


def _plot_statistic(name: str, title: str, fields: tuple[Column, ...]) -> Table:
    """Return the table of one statistic per plot, window and job."""
    identity = (_text("uuid", "Plot (UUID)"), _text("collection_id", "Collection"))
    return Table(
        f"stat_{name}", "attributes", title, identity + _WINDOW + fields + _EVIDENCE,
        ("uuid", "monitoring_start", "monitoring_end", "job_id"), ("collection_id", "job_id"),
    )  # fmt: skip


def _references(names: tuple[str, ...]) -> tuple[Column, ...]:
    """Return the four columns that compare each named field with its reference area."""
    return tuple(
        column
        for name in names
        for column in (
            _real(f"{name}_ref", "Reference area"),
            _whole(f"{name}_ref_n", "Reference area: cells, or sample squares"),
            _real(f"{name}_ref_se", "Reference area: standard error"),
            _whole(f"{name}_ref_year", "Reference area: year of the layer", "year"),
        )
    )


REFERENCED = (
    "noncompliance_area_perc", "luc_tco2ehayear", "biogenic_tco2ehayear", "soc_tco2ehayear", "removal_tco2ehayear",
    "diversity_score", "water_stress_index", "precipitation_pet_ratio", "soil_moisture_percentile", "evapotranspiration_anomaly",
)  # fmt: skip
"""Fields of regions that stand beside the same figure of the reference area."""

SUPPLY_SHED_IDENTITY = (
    _text("collection_id", "Collection"), _text("collection_name", "Collection name"), _text("uuid", "Region"),
    _text("stat_type", "Kind of region"), _text("facility_id", "Facility"), _text("facility_name", "Facility name"),
    _text("facility_address", "Facility address"), _text("facility_certainty", "Certainty of the facility's place"),
    _text("company_name", "Company"), _text("country", "Country"), _text("admin1", "First administrative level"),
    _json("centroid", "Centroid"), _real("travel_time_min", "Travel time", "min"), _text("commodity", "Commodity"),
    _real("area_ha_supply_shed", "Area of the region", "ha"), _real("area_ha_commodity", "Area of the plots", "ha"),
    _real("area_ha_smallholder", "Area of smallholders' plots", "ha"), _real("area_ha_estate", "Area of estates' plots", "ha"),
    _real("area_ha_forest", "Forest on 31 December 2020 in the plots", "ha"), _whole("commodity_plot_no", "Plots", "plots"),
)  # fmt: skip
SUPPLY_SHED_DEFORESTATION = (
    _real("noncompliance_area_ha", "Non-compliance area", "ha"),
    _real("noncompliance_area_perc", "Non-compliance share of the assessed plots", "0-1"),
    _real("noncompliance_area_rate", "Non-compliance share per year", "1/year"),
    _whole("noncompliance_plot_count", "Critical plots", "plots"),
    _json("annual_defor_ha", "Forest loss per year", "ha"),
    _real("assessed_area_ha", "Area of the assessed plots", "ha"),
    _whole("assessed_plot_no", "Assessed plots", "plots"),
)
SUPPLY_SHED_LEGALITY = (
    _text("legality_risk", "Legality risk"), _text("dds_reference_number", "DDS reference number"),
    _text("dds_verification_number", "DDS verification number"), _text("dds_submission_date", "DDS submission date"),
)  # fmt: skip
_SUPPLY_SHED = (
    SUPPLY_SHED_IDENTITY
    + _WINDOW
    + (_time("ingestion_date", "Ingested"), _text("facility_geo", "Place of the facility"), _text("locations_confidence", "Locations confidence"))
    + SUPPLY_SHED_DEFORESTATION
    + SUPPLY_SHED_LEGALITY
    + EMISSIONS
    + BIODIVERSITY
    + WATER
    + (
        _real("aggregate_area", "Area of the plots", "ha"), _whole("aggregate_plot_count", "Plots", "plots"),
        _real("non_biomass_tco2eyear", "Farm and supply chain emissions", "tCO2e/year"),
        _real("non_biomass_tco2ehayear", "Farm and supply chain emissions per ha", "tCO2e/ha/year"),
        _real("non_biomass_tco2etonne", "Farm and supply chain emissions per tonne", "tCO2e/t"),
    )
    + _references(REFERENCED)
    + (_json("metadata", "Metadata"), _text("region_name", "Name of the region"))
    + _EVIDENCE
)  # fmt: skip

_ALL = (
    Table(
        "store_info", "attributes", "About this store", (_text("name"), _text("value")), ("name",),
    ),
    Table(
        "collections", "attributes", "Collections",
        (
            _text("collection_id", "Collection"), _text("collection_name", "Name"), _text("description", "Description"),
            _text("status", "Status"), _text("crop_type", "Crop"), _text("processing_type", "Processing"),
            _text("system_type", "System"), _text("country", "Country"), _text("detected_country", "Country of the plots"),
            _json("country_override_info", "Country override"), _text("admin1", "First administrative level"),
            _whole("plot_number", "Plots", "plots"), _whole("invalid_number", "Rejected features", "features"),
            _text("source_name", "Source"), _text("source_sha256", "SHA-256 of the source"), _time("ingestion_time", "Ingested"),
            _text("locations_confidence", "Locations confidence"), _json("validation_report", "Validation report"),
            _json("input_payload", "Farm and supply chain data"), _json("metadata", "Metadata"),
        ),
        ("collection_id",),
    ),
    Table(
        "plots", "features", "Plots",
        (
            _text("uuid", "Plot (UUID)"), _text("plotid", "Plot"), _text("collection_id", "Collection"),
            _text("facility_id", "Facility"), _time("ingestion_date", "Ingested"), _real("area", "Area", "ha"),
            _text("soliditysha3_256_hash", "Hash of the geometry"), Column("source_geometry", "BLOB", "Shape as uploaded"),
            _json("metadata", "Metadata"), _json("flags", "What was assumed or noticed when the plot was staged"),
        ),
        ("uuid",), ("collection_id", "plotid", "facility_id", "soliditysha3_256_hash"),
    ),
    _plot_statistic("eudr_deforestation", "Deforestation", DEFORESTATION),
    _plot_statistic("luc_emissions", "Biomass and emissions", EMISSIONS),
    _plot_statistic("biodiversity", "Biodiversity", BIODIVERSITY),
    _plot_statistic("water", "Water", WATER),
    _plot_statistic("extra", "Further statistics", EXTRA),
    Table(
        "stat_non_biomass", "attributes", "Farm and supply chain emissions",
        (
            _text("collection_id", "Collection"), _text("uuid", "Plot (UUID); empty for the whole collection"), _text("source", "Source"),
            _text("scope", "Scope"), _real("activity", "Activity"), _text("unit", "Unit of the activity"),
            _real("ef", "Emission factor"), _text("ef_source", "Source of the factor"), _real("er_perc", "Emission reduction", "%"),
            _real("tco2e_year", "Emissions", "tCO2e/year"), _text("job_id", "Job"),
        ),
        ("collection_id", "uuid", "source", "job_id"), ("uuid", "job_id"),
    ),
    Table(
        "plot_regions", "attributes", "Share of each plot in each region",
        (
            _text("uuid", "Plot (UUID)"), _text("stat_type", "Kind of region"), _text("region_uuid", "Region"),
            _real("share", "Share of the plot", "0-1"), _text("job_id", "Job"),
        ),
        ("uuid", "stat_type", "region_uuid", "job_id"), ("region_uuid", "job_id"),
    ),
    Table(
        "stat_supply_shed", "features", "Supply base and regions", _SUPPLY_SHED,
        ("uuid", "stat_type", "monitoring_start", "monitoring_end", "job_id"), ("collection_id", "job_id"),
    ),
    Table(
        "batch_jobs", "attributes", "Jobs",
        (
            _text("job_id", "Job"), _text("collection_id", "Collection"), _json("stats", "Statistics"),
            _date("start_date", "Monitoring start"), _date("end_date", "Monitoring end"), _text("status", "Status"),
            _text("outcome", "Stage"), _real("progress", "Progress", "%"), _json("complete_task_ids", "Finished chunks"),
            _json("failed_task_ids", "Failed chunks"), _text("error", "Error"), _time("created", "Created"),
            _time("updated", "Updated"), _text("inputs_key", "Hash of the inputs"), _text("owner", "Runner"),
            _time("heartbeat", "Last sign of life"), _json("provenance", "Provenance"),
        ),
        ("job_id",), ("collection_id", "inputs_key"),
    ),
)  # fmt: skip

TABLES: dict[str, Table] = {table.name: table for table in _ALL}

PLOT_STATISTICS: tuple[str, ...] = ("eudr_deforestation", "luc_emissions", "biodiversity", "water", "extra")
"""Statistics with one row per plot, window and job; each has a table `stat_<name>` and a spatial view `view_<name>`."""
