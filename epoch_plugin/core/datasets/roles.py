"""The roles that METHODS knows: what a layer is used for, how it must be encoded, and what is lost without it."""

from __future__ import annotations

from dataclasses import dataclass

DEFORESTATION, BIOMASS, BIODIVERSITY, WATER, EXTRA = "eudr_deforestation", "luc_emissions", "biodiversity", "water", "extra"

DETECTION_KINDS = ("loss_year", "alert_date", "classes", "mask")
COMMODITIES = ("palm", "cocoa", "rubber", "coffee", "soy", "cattle", "timber")
DETECTION_ROLES = ("glad", "tmf", "dynamic_world", "radd")
DETECTION_THEME = "detection"

THEMES = (
    "treecover", "commodities", "disturbance_before_2020", "disturbance_after_2020", "primary_2020", "nat_reg_forest_2020",
    "planted_plantations_2020", "planted_plantations_after_2020", "treecover_after_2020", "agri_after_2020", "logging_concession_before_2020",
)  # fmt: skip

LAND_USES = ("natural", "managed", "other")


@dataclass(frozen=True)
class Role:
    """One role; `group` is baseline, detection, context, commodity, stock, structure or climate."""

    name: str
    group: str
    statistic: str
    purpose: str
    kinds: tuple[str, ...]
    missing: str  # one sentence: what it means that nothing is bound
    series: bool = False  # one layer per year; without a year an entry is unusable
    units: tuple[str, ...] = ()  # allowed units; the only one is the default

    @property
    def single(self) -> bool:
        """Tell whether only one entry may have this role."""
        return self.group in ("baseline", "detection", "context")


def _context(name: str, purpose: str, missing: str) -> Role:
    return Role(name, "context", DEFORESTATION, purpose, ("mask",), missing)


def _detection(name: str, purpose: str) -> Role:
    missing = f"The system '{name}' is left out of union, consensus and agreement; at least two systems are needed for consensus."
    return Role(name, "detection", DEFORESTATION, purpose, DETECTION_KINDS, missing)


def _commodity(name: str) -> Role:
    missing = f"overlap.{name} is null" + ("." if name in ("soy", "cattle") else f", and {name} can show no tree-crop rotation.")
    return Role(name, "commodity", DEFORESTATION, f"where {name} is grown, at a stated year", ("mask",), missing)


def _series(name: str, group: str, statistic: str, purpose: str, missing: str, units: tuple[str, ...] = (), kind: str = "continuous") -> Role:
    return Role(name, group, statistic, purpose, (kind,), missing, series=True, units=units)


_STOCK_UNITS = ("Mg/ha", "MgC/ha", "MgCO2/ha")

ROLES: dict[str, Role] = {
    role.name: role
    for role in (
        Role("forest_2020", "baseline", DEFORESTATION, "forest on 31 December 2020", ("mask",),
             "Without a forest baseline no plot can be assessed for deforestation."),
        _detection("dynamic_world", "yearly land cover; forest lost from one year to the next"),
        _detection("glad", "year of tree cover loss (Hansen)"),
        _detection("tmf", "yearly state of tropical moist forest, or its year of deforestation"),
        _detection("radd", "dated radar alerts"),
        _context("jrc_forest", "JRC forest cover 2020, for the overlap", "overlap.jrc_forest is null, unless forest_2020 is a JRC layer."),
        _context("tmf_forest", "undisturbed and degraded tropical moist forest of 2020, for the overlap",
                 "overlap.tmf_forest is null, unless the TMF classes of 2020 are bound as tmf."),
        _context("natural_forest", "natural forest: a loss there is critical whatever the crop",
                 "The natural-forest column of the alert rule does not apply (reason context_missing)."),
        _context("wdpa", "protected areas: a loss there is critical whatever the crop",
                 "The protected-area column of the alert rule does not apply (reason context_missing)."),
        _context("wdpa_mandate", "protected areas with legal force, the user's own layer", "overlap.wdpa_mandate is null."),
        *(_commodity(name) for name in COMMODITIES),
        _series("agb", "stock", BIOMASS, "above-ground biomass per year", "No emission from biomass can be given.", _STOCK_UNITS),
        _series("agb_sd", "stock", BIOMASS, "standard deviation of above-ground biomass per year",
                "The uncertainty of the emissions is null.", _STOCK_UNITS),
        Role("soc", "stock", BIOMASS, "soil organic carbon", ("continuous",), "soc_* fields are null.", units=("MgC/ha",)),
        Role("root_shoot", "stock", BIOMASS, "ratio of below-ground to above-ground biomass", ("continuous",),
             "The ratio comes from ecological_zone, else it is the setting root_shoot."),
        Role("ecological_zone", "stock", BIOMASS, "IPCC's ecological zones, whose table gives the ratio of below-ground biomass", ("classes",),
             "The ratio of below-ground to above-ground biomass is one number, the setting root_shoot."),
        _series("lc", "stock", BIOMASS, "land cover per year, with a class map natural / managed / other",
                "Land-use change is told by the deforestation result alone, or is null (reason no_land_use).", kind="classes"),
        _series("chm", "structure", BIODIVERSITY, "canopy height per year", "No biodiversity score can be given.", ("m",)),
        Role("tree_mask", "structure", BIODIVERSITY, "where trees stand", ("mask",), "Trees are told by canopy height alone."),
        _series("precipitation", "climate", WATER, "precipitation per year", "precipitation_pet_ratio and aridity_class are null.", ("mm",)),
        _series("pet", "climate", WATER, "potential evapotranspiration per year", "precipitation_pet_ratio and aridity_class are null.", ("mm",)),
        _series("et", "climate", WATER, "evapotranspiration per year", "evapotranspiration_anomaly is null.", ("mm",)),
        _series("soil_moisture", "climate", WATER, "soil moisture per year", "soil_moisture_percentile is null."),
        Role("water_stress", "climate", WATER, "Aqueduct baseline water stress, score 0 to 5", ("continuous",), "water_stress_index is null."),
    )
}  # fmt: skip


def is_detection(role: str, theme: str) -> bool:
    """Tell whether an entry is a detection system: by its role, or by `"theme": "detection"`."""
    return role in DETECTION_ROLES or theme == DETECTION_THEME
