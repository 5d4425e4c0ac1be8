"""Each encoding's decode against arrays worked out by hand; the order of tests is that of METHODS section 1."""

from __future__ import annotations

import datetime as dt
import pickle

import numpy as np
import pytest

from epoch_plugin.core.datasets.encodings import (
    AlertDateEncoding,
    ClassesEncoding,
    ContinuousEncoding,
    LossYearEncoding,
    MaskEncoding,
)
from epoch_plugin.core.errors import DatasetError

EPOCH = dt.date(1970, 1, 1)


def days(*date: int) -> int:
    return (dt.date(*date) - EPOCH).days


def test_mask_of_values():
    raw = np.array([[0, 1, 2], [10, 20, 255]], "uint8")
    codes = MaskEncoding(values=(1, 10)).decode(raw, 255)
    assert codes.dtype == np.uint8
    assert codes.tolist() == [[1, 2, 1], [2, 1, 0]]


def test_none_wins_over_nodata_of_the_same_value():
    raw = np.array([0, 1], "uint8")
    assert MaskEncoding(values=(1,), none=(0,)).decode(raw, 0).tolist() == [1, 2]
    assert MaskEncoding(values=(1,)).decode(raw, 0).tolist() == [0, 2]
    assert MaskEncoding(values=(1,)).decode(raw, None).tolist() == [1, 2]
    assert LossYearEncoding(2000, none=(0,)).decode(raw, 0).tolist() == [0, 2001]
    assert LossYearEncoding(2000, none=()).decode(raw, 0).tolist() == [-1, 2001]


def test_none_is_no_even_where_it_would_be_yes():
    assert MaskEncoding(min=0, none=(0,)).decode(np.array([0, 1], "uint8"), None).tolist() == [1, 2]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_mask_threshold_includes_its_own_value(dtype):
    raw = np.array([0.37, 0.38, 0.5, np.nan, np.inf], dtype)
    assert MaskEncoding(min=0.38).decode(raw, None).tolist() == [1, 2, 2, 0, 0]
    assert MaskEncoding(min=0.1, max=0.38).decode(raw, None).tolist() == [2, 2, 1, 0, 0]


def test_mask_sentinels_are_no_data():
    assert MaskEncoding(values=(1,), none=(0,), sentinels=(255,)).decode(np.array([0, 1, 255, 7], "uint8"), None).tolist() == [1, 2, 0, 1]


def test_loss_year():
    raw = np.array([0, 1, 23, 255, 254], "uint8")
    codes = LossYearEncoding(offset=2000).decode(raw, 255)
    assert codes.dtype == np.int16
    assert codes.tolist() == [0, 2001, 2023, -1, -1]  # 2254 is no year


def test_loss_year_stored_as_year_beyond_int16():
    raw = np.array([0, 1990, 2021, 65535, 1899, 2200, 2201], "uint16")
    assert LossYearEncoding().decode(raw, None).tolist() == [0, 1990, 2021, -1, -1, 2200, -1]


def test_loss_year_of_floats_takes_whole_numbers_only():
    raw = np.array([0.0, 21.0, 21.5, np.nan, -3.4e38, 1e30], "float32")
    assert LossYearEncoding(2000).decode(raw, -3.4e38).tolist() == [0, 2021, -1, -1, -1, -1]


def test_classes_keep_their_values():
    raw = np.array([0, 10, 95, 255], "uint8")
    codes = ClassesEncoding().decode(raw, 0)
    assert codes.dtype == np.int16
    assert codes.tolist() == [-1, 10, 95, 255]
    assert ClassesEncoding(none=(0,)).decode(raw, 0).tolist() == [0, 10, 95, 255]
    assert ClassesEncoding(sentinels=(0,)).decode(raw, 255).tolist() == [-1, 10, 95, -1]


def test_classes_beyond_the_code_are_no_data():
    assert ClassesEncoding().decode(np.array([-5, 32767, 32768, 70000], "int32"), None).tolist() == [-1, 32767, -1, -1]
    assert ClassesEncoding().decode(np.array([1.0, 1.5, np.nan], "float32"), None).tolist() == [1, -1, -1]


def test_alert_yyddd():
    raw = np.array([0, 20001, 20366, 21366, 21365, 21000, 65535, 19], "uint16")
    codes = AlertDateEncoding("yyddd").decode(raw, None)
    assert codes.dtype == np.int32
    # 2020 is a leap year, 2021 is not; day 0 is no day; 19 would be day 19 of 2000
    assert codes.tolist() == [0, days(2020, 1, 1), days(2020, 12, 31), -1, days(2021, 12, 31), -1, -1, days(2000, 1, 19)]


def test_alert_days_since():
    raw = np.array([0, 1, 731], "uint16")
    encoding = AlertDateEncoding("days_since", dt.date(2019, 1, 1))
    assert encoding.decode(raw, None).tolist() == [0, days(2019, 1, 2), days(2021, 1, 1)]


def test_alert_date_conf_of_global_forest_watch():
    base = dt.date(2014, 12, 31)
    raw = np.array([0, 30055, 20055, 40055, 55, 65535], "uint16")
    day = days(2015, 2, 24)  # the published example: 30055 is high confidence, 24 February 2015
    assert AlertDateEncoding("conf_days_since", base, 3, sentinels=(65535,)).decode(raw, None).tolist() == [0, day, 0, day, -1, -1]
    assert AlertDateEncoding("conf_days_since", base).decode(raw[:5], None).tolist() == [0, day, day, day, -1]


def test_alert_years_stand_for_their_first_day():
    encoding = AlertDateEncoding("year")
    assert encoding.annual
    assert encoding.decode(np.array([0, 2021, 65535], "uint16"), None).tolist() == [0, days(2021, 1, 1), -1]


def test_alert_nodata_and_none():
    assert AlertDateEncoding("yyddd").decode(np.array([0, 99999], "int32"), 99999).tolist() == [0, -1]
    assert AlertDateEncoding("yyddd", none=()).decode(np.array([0], "uint16"), 0).tolist() == [-1]


def test_continuous_scale_offset_sentinels():
    raw = np.array([0, 10, -9999, -1, 9999], "int16")
    values = ContinuousEncoding(0.1, 5.0, sentinels=(-1, 9999)).decode(raw, -9999)
    assert values.dtype == np.float64
    np.testing.assert_allclose(values, [5.0, 6.0, np.nan, np.nan, np.nan])


def test_continuous_nodata_in_the_precision_of_the_file():
    tag = -3.4e38  # as a double it is not the float32 that the file holds
    raw = np.array([1.5, tag], "float32")
    assert raw.astype("float64")[1] != tag
    np.testing.assert_array_equal(ContinuousEncoding().decode(raw, tag), [1.5, np.nan])
    np.testing.assert_array_equal(ContinuousEncoding().decode(raw, np.nan), [1.5, float(raw[1])])
    np.testing.assert_array_equal(ContinuousEncoding().decode(np.array([np.nan, np.inf, 2]), np.nan), [np.nan, np.nan, 2])
    np.testing.assert_array_equal(ContinuousEncoding().decode(np.array([1.0, -1.7976931348623157e308]), -1.7976931348623157e308), [1, np.nan])


def test_continuous_none_is_zero():
    np.testing.assert_array_equal(ContinuousEncoding(none=(255,)).decode(np.array([255, 3], "uint8"), 255), [0, 3])


def test_continuous_without_scale_refuses_to_guess():
    with pytest.raises(DatasetError, match="encoding_of"):
        ContinuousEncoding(None, None).decode(np.array([1]), None)


def test_nodata_that_the_type_cannot_hold_never_matches():
    raw = np.arange(256, dtype="uint8")
    for nodata in (-9999, 255.5, 1e30, float("inf"), float("nan")):
        assert (MaskEncoding(values=(1,)).decode(raw, nodata) != 0).all()


@pytest.mark.parametrize(
    "encoding",
    [
        MaskEncoding(values=(1, 3), none=(0,)),
        MaskEncoding(min=10),
        LossYearEncoding(2000),
        ClassesEncoding(),
        AlertDateEncoding("yyddd"),
        AlertDateEncoding("conf_days_since", dt.date(2014, 12, 31), 3),
        ContinuousEncoding(0.5, 1.0, sentinels=(7,)),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
def test_decode_is_elementwise_and_survives_pickling(encoding, dtype):
    limits = np.iinfo(dtype)
    every = np.arange(limits.min, limits.max + 1).astype(dtype)
    table = encoding.decode(every, 255)
    cells = np.random.default_rng(1).choice(every, (40, 30))
    direct = pickle.loads(pickle.dumps(encoding)).decode(cells, 255)
    assert direct.shape == cells.shape
    np.testing.assert_array_equal(table[cells.astype(int) - int(limits.min)], direct)
