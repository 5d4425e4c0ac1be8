"""Words and charts of the docks that a user read wrongly, or could not read."""

from __future__ import annotations

import pytest

from epoch_plugin.ui.charts.chart import LINES, Chart, Series
from epoch_plugin.ui.collections.readiness import readiness
from epoch_plugin.ui.collections.texts import stage_words


def entry(role: str, coverage: float) -> dict[str, object]:
    return {"role": role, "purpose": "", "status": "found", "problems": [], "dtype": "float32", "coverage": coverage}


@pytest.mark.parametrize(("coverages", "words"), [([0.9], "one layer does not cover"), ([0.9, 0.8], "2 layers do not cover")])
def test_one_layer_is_not_several(coverages, words):
    entries = [entry("agb" if place else "lc", coverage) for place, coverage in enumerate(coverages)]
    said = readiness({"statistics": {"luc_emissions": {"ready": True, "missing": []}}, "entries": entries}, "luc_emissions")
    assert said.level == "amber" and words in said.words


def test_layers_are_called_by_name_not_by_key():
    answer = {"statistics": {"eudr_deforestation": {"ready": True, "missing": []}}, "entries": [entry("wdpa_mandate", 0.0271)]}
    words = readiness(answer, "eudr_deforestation").words
    assert words == "Can be computed; one layer does not cover all plots (Protected areas with legal force covers 2.71 %)"


def test_stages_of_the_engine_are_told_in_words():
    assert stage_words("gather 6/11") == "reading layers, part 6/11"
    assert stage_words("plan") == "planning"
    assert stage_words("") == "starting"
    assert stage_words("writing 3/4") == "writing 3/4"  # what is told in words already stays


@pytest.mark.parametrize("width", [535, 220])
def test_the_legend_lies_above_the_lines(width):
    pytest.importorskip("matplotlib")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from epoch_plugin.ui.charts.matplotlib_drawing import Look, _paint

    years = tuple(str(year) for year in range(2015, 2025))
    series = tuple(Series(name, (350.0,) * 10, "#009E73") for name in ("Above ground", "Below ground", "Soil"))
    figure = Figure(figsize=(width / 100, 1.6), dpi=100, constrained_layout=True)
    canvas = FigureCanvasAgg(figure)
    _paint(figure, Chart("Stocks", LINES, "tCO2e/ha", years, series), Look("#ffffff", "#000000", 13.0), 9.0)
    canvas.draw()
    axes = figure.axes[0]
    legend = axes.get_legend().get_window_extent()
    assert legend.y0 >= axes.get_window_extent().y1 - 1 and legend.x1 <= width + 1 and legend.y1 <= 161
