"""CSV of any common encoding, delimiter and decimal sign."""

from __future__ import annotations

import csv
import io
import itertools
import os
import sys
from collections.abc import Iterator

from epoch_plugin.core.collections.source import SourceFeature
from epoch_plugin.core.collections.tabular import SAMPLE_ROWS, GeometryColumns, find_geometry, table_features, unique_headers
from epoch_plugin.core.errors import InputError

_DELIMITERS = ",;\t|"
_BLOCK = 1 << 20


def read_csv(path: str, crs: str | None) -> Iterator[SourceFeature]:
    """Yield one feature per data row; raise `InputError` if the file is no table or holds no coordinates."""
    name = os.path.basename(path)
    # geometries are long: csv's limit of 131,072 characters a cell is process-wide and only ever raised here
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    encoding = _encoding(path)
    with open(path, encoding=encoding, newline="") as file:
        delimiter = _delimiter(file, name)
        file.seek(0)
        rows = _rows(file, delimiter, name)
        headers = unique_headers(next(rows, []))
        sample = list(itertools.islice(rows, SAMPLE_ROWS))
        columns = find_geometry(headers, sample, name)
        epsg = crs[5:] if crs and crs.upper().startswith("EPSG:") else None
        comma = delimiter != "," or _quoted_commas(sample, columns)
        yield from table_features(headers, itertools.chain(sample, rows), columns, comma, epsg)


def _encoding(path: str) -> str:
    """Tell the encoding: a byte order mark, else UTF-8 if every byte fits, else Windows-1252, else Latin-1."""
    with open(path, "rb") as file:
        start = file.read(4)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            with open(path, encoding=encoding) as text:
                while text.read(_BLOCK):
                    pass
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _delimiter(file: io.TextIOWrapper, name: str) -> str:
    """Choose the delimiter that splits the header, and then the first rows, into most cells."""
    start = "".join(itertools.islice(file, 5))
    if not start.strip():
        raise InputError(f"'{name}' is empty: a header row and one row per plot are needed.")
    if "\0" in start:
        raise InputError(f"'{name}' is not a text table: it holds NUL bytes.")
    widths = {}
    for delimiter in _DELIMITERS:
        header, *others = list(csv.reader(io.StringIO(start, newline=""), delimiter=delimiter)) or [[]]
        widths[delimiter] = (len(header), sum(len(row) == len(header) for row in others))
    return max(_DELIMITERS, key=lambda d: widths[d])


def _rows(file: io.TextIOWrapper, delimiter: str, name: str) -> Iterator[list[str]]:
    reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise InputError(f"'{name}', line {reader.line_num}: not readable as CSV ({error}). Save the table as CSV again.") from None
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield row


def _quoted_commas(sample: list[list[str]], columns: GeometryColumns) -> bool:
    """Tell whether a comma-separated table quotes numbers with a decimal comma, such as "5,123"."""
    pairs = [row[i] for row in sample for i in (columns.lon, columns.lat) if i is not None and i < len(row)]
    return any("," in value and "." not in value for value in pairs)
