"""The 40 layers on five grids, what each stands for, and which layers are generated beside them."""

from __future__ import annotations

from dataclasses import dataclass

from bench.recipes import Amounts, Change, Classes, Recipe, Years, mask

WEST, NORTH = -7.5, 7.5  # the landscape's upper left corner, EPSG:4326
CELLS_PER_DEGREE = {"10 m": 12_000, "30 m": 4_000, "100 m": 1_125, "250 m": 480, "1 km": 120}
METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class Layer:
    """One raster: categorical layers are asked for class areas, the others for mean and standard deviation."""

    name: str
    grid: str
    role: str  # what it is bound to in the product's own statistics; "" = only one of the forty
    categorical: bool
    dtype: str
    nodata: float | None
    recipe: Recipe
    year: int | None = None


def _classes(name: str, grid: str, role: str, recipe: Recipe, nodata: float | None = None, year: int | None = None) -> Layer:
    """Return a categorical layer; the percent of tree cover are 101 classes, so that all layers of a grid are asked the same."""
    return Layer(name, grid, role, True, "uint8", nodata, recipe, year)


def _amounts(name: str, grid: str, role: str, recipe: Amounts, year: int | None = None) -> Layer:
    return Layer(name, grid, role, False, recipe.dtype, recipe.missing, recipe, year)


FORTY = (
    _classes("forest_2020", "10 m", "forest_2020", mask(1, 0.55, 0.03), year=2020),
    _classes("cocoa", "10 m", "cocoa", mask(20, 0.18), 255, 2020),
    _classes("coffee", "10 m", "coffee", mask(30, 0.07), 255, 2020),
    _classes("palm", "10 m", "palm", mask(40, 0.1), 255, 2020),
    _classes("rubber", "10 m", "rubber", mask(50, 0.08, unmapped=255), 255, 2020),
    _classes("land_cover", "10 m", "lc", Classes(70, (0.4, 0.55, 0.65, 0.85, 0.9, 0.93, 0.97), (10, 20, 30, 40, 50, 60, 80, 90), 0.05), 0, 2021),
    _classes("tree_cover_2000", "30 m", "mask of glad", Amounts(100, 0, 100, "uint8", 0.03)),
    _classes("loss_year", "30 m", "glad", Years(110, 0.2)),
    _classes("gain", "30 m", "", mask(130, 0.1, 0.05)),
    *(_classes(f"tmf_{year}", "30 m", "tmf", Change(140, year), 0, year) for year in range(2015, 2026)),
    _classes("transition", "30 m", "", Classes(160, (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9), (10, 21, 31, 41, 51, 61, 71, 81)), 0),
    _classes("degradation_year", "30 m", "", Years(180, 0.15, jitter=0.06)),
    _classes("deforestation_year", "30 m", "national_monitor (detection)", Years(190, 0.15, jitter=0.06)),
    _classes("primary_forest", "30 m", "natural_forest", mask(200, 0.3), year=2020),
    _classes("planted_forest", "30 m", "timber", mask(210, 0.3), year=2020),
    _classes("drivers", "30 m", "", Classes(220, (0.3, 0.5, 0.7, 0.8, 0.9), (0, 1, 2, 3, 4, 5))),
    _classes("fire_year", "30 m", "", Years(230, 0.3)),
    _classes("protected", "30 m", "wdpa", mask(240, 0.1, 0.03), year=2020),
    *(
        _amounts(f"biomass_{year}", "100 m", "agb", Amounts(300, 0, 420, "float32", 0.15, -9999.0, drift), year)
        for drift, year in enumerate((2010, 2015, 2016, 2017), start=1)
    ),
    *(
        _amounts(f"biomass_{year}", "100 m", "agb", Amounts(300, 0, 420, "uint16", 0.15, 65535.0, drift), year)
        for drift, year in enumerate((2018, 2019, 2020, 2021), start=5)
    ),
    _amounts("soil_carbon", "250 m", "soc", Amounts(400, 0, 150, "int16", 0.1, -32768.0)),
    _amounts("clay", "250 m", "", Amounts(410, 0, 700, "int16", 0.1, -32768.0)),
    _amounts("water_stress", "1 km", "water_stress", Amounts(420, 0, 5, "float32", 0.05, -9999.0)),
    _amounts("aridity", "1 km", "", Amounts(430, 0, 1.2, "float32", 0.1, -9999.0)),
)

CLIMATE = {"precipitation": (900, 2100), "pet": (1200, 1700), "et": (700, 1300), "soil_moisture": (20, 180)}

BESIDE = (
    _amounts("canopy_height_2020", "30 m", "chm", Amounts(500, 0, 40, "uint8", 0.1, 255.0), 2020),
    *(
        _amounts(f"{role}_{year}", "1 km", role, Amounts(600 + 100 * number, low, high, "float32", 0.05, -9999.0, year - 2010), year)
        for number, (role, (low, high)) in enumerate(CLIMATE.items())
        for year in range(2014, 2026)
    ),
)

TWELVE = (
    "forest_2020", "cocoa", "land_cover", "tree_cover_2000", "loss_year", "tmf_2020", "tmf_2024", "primary_forest", "biomass_2015", "biomass_2020",
    "soil_carbon", "water_stress",
)  # fmt: skip
NEW_YEAR = "tmf_2025"  # the layer that arrives after a first run over all others


def by_grid(layers: tuple[Layer, ...] = FORTY) -> dict[str, list[Layer]]:
    """Return layers by grid, finest first; all layers of a grid are categorical, or none is."""
    return {grid: [layer for layer in layers if layer.grid == grid] for grid in CELLS_PER_DEGREE}
