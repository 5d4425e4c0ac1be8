"""The query string: parsing, matching, unknown keys, and user text that never becomes SQL."""

from __future__ import annotations

import json

import pytest

from epoch_plugin.core.errors import InputError
from epoch_plugin.core.fetch import FetchRequest, fetch
from epoch_plugin.core.fetch.filters import Filter, parse_filters
from epoch_plugin.core.store import results
from epoch_plugin.core.store.store import Store
from tests.core.store_samples import add_collection, plot, result

EVIL = "x'; DROP TABLE plots; --"


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store.gpkg")
    metadata = (
        {"clientid": "ABC", "Village": "Daloa", "size": 4.0, "count": 7, "ok": True, "name": "Kouadio & Fils", EVIL: EVIL, "a.b[0]": "dot"},
        {"clientid": "XYZ", "village": "Daloa", "size": 2.5, "count": 8, "ok": False, "name": "Adjoua", "none": None},
        {"clientid": "ABC", "VILLAGE": "Man", "area": "small", "plotid": "other"},
    )
    add_collection(store, plots=[plot(number, metadata=json.dumps(values)) for number, values in enumerate(metadata, 1)], crop_type="cocoa",
                   metadata={"season": "2024"})  # fmt: skip
    add_collection(
        store, plots=[plot(1, "0xdef", metadata='{"clientid":"ABC"}', facility_id="F1")], collection_id="0xdef", name="Second", crop_type="coffee"
    )
    with store.writing() as connection:
        results.insert(connection, "eudr_deforestation", [result(1, deforestation_alert="critical", forest_area=0.25), result(2)])
    return store


def found(store, filters, collection="0xabc", **request):
    answer = fetch(store, FetchRequest(collection=collection, filters=filters, limit=0, **request))
    return [feature.uuid for feature in answer.features]


def plots(*numbers):
    return [f"0xabc-{number:06d}" for number in numbers]


def test_parsing():
    assert parse_filters("a=1&b=x+y&a=2&c=%C3%A9%26&d=") == (Filter("a", ("1", "2")), Filter("b", ("x y",)), Filter("c", ("é&",)), Filter("d", ("",)))
    assert parse_filters(" ") == ()
    assert parse_filters("?a=1") == (Filter("a", ("1",)),)
    for bad in ("a", "a=1&&b=2", "a=%ff"):
        with pytest.raises(InputError, match="key=value"):
            parse_filters(bad)


@pytest.mark.parametrize(
    "filters, expected",
    [
        ("plotid=P2", (2,)),
        ("plotid=P2&plotid=P3", (2, 3)),
        ("plotid=P2&clientid=ABC", ()),
        ("clientid=ABC", (1, 3)),
        ("CLIENTID=ABC&clientid=XYZ", ()),
        ("clientid=abc", ()),
        ("village=Daloa", (2,)),
        ("viLLage=Daloa", (1, 2)),
        ("viLLage=Daloa&viLLage=Man", (1, 2, 3)),
        ("size=4.0", (1,)),
        ("size=4", (1,)),
        ("size=2.5", (2,)),
        ("count=7&count=8", (1, 2)),
        ("ok=true", (1,)),
        ("none=", ()),
        ("name=Kouadio+%26+Fils", (1,)),
        ("a.b%5B0%5D=dot", (1,)),
        ("area=1.25", (1,)),
        ("area=small", ()),
        ("collection_id=0xabc", (1, 2, 3)),
        ("ingestion_date=2025-11-18", (1, 2, 3)),
        ("ingestion_date=2025-11-18T13:38:23%2B00:00", (1, 2, 3)),
        ("deforestation_alert=critical", (1,)),
        ("forest_area=0.25&forest_area=0.5", (1, 2)),
        ("monitoring_start=2020-12-31&forest_area=0.5", (2,)),
        ("crop_type=cocoa", (1, 2, 3)),
        ("season=2024", (1, 2, 3)),
        ("collection_name=Second", ()),
    ],
)
def test_matching(store, filters, expected):
    assert found(store, filters) == plots(*expected)


def test_without_a_collection_all_are_searched(store):
    assert found(store, "clientid=ABC", collection=None) == ["0xabc-000001", "0xabc-000003", "0xdef-000001"]
    assert found(store, "facility_id=F1", collection=None) == ["0xdef-000001"]
    assert found(store, "crop_type=coffee", collection=None) == ["0xdef-000001"]


def test_plots_only_filters_too(store):
    assert found(store, "clientid=XYZ", plots_only=True) == plots(2)


def test_an_unknown_key_is_refused_naming_close_ones(store):
    with pytest.raises(InputError, match=r"'client_id'.*Did you mean clientid"):
        found(store, "client_id=ABC")
    with pytest.raises(InputError, match=r"'qqqq'.*Known keys: .*plotid"):
        found(store, "qqqq=1")
    with pytest.raises(InputError, match="deforestation_alert"):
        found(store, "deforestation_alert=critical", plots_only=True)


def test_names_and_values_are_data(store):
    from urllib.parse import quote_plus

    assert found(store, f"{quote_plus(EVIL)}={quote_plus(EVIL)}") == plots(1)
    assert found(store, f"plotid={quote_plus(EVIL)}") == []
    with pytest.raises(InputError):
        found(store, f"{quote_plus('p.uuid) OR 1=1 --')}=1")
    assert len(found(store, "clientid=ABC&clientid=XYZ")) == 3
