"""Countries by whatever a person calls them: ISO 3166 codes, English names, and the usual names in producers' languages."""

from __future__ import annotations

import csv
import functools
import os
import re
import unicodedata
from dataclasses import dataclass

_TABLE = os.path.join(os.path.dirname(__file__), "country_names.csv")
# French overseas departments are regions of France with ISO codes of their own
_PART_OF = {"GF": "FR", "GP": "FR", "MQ": "FR", "RE": "FR", "YT": "FR"}


@dataclass(frozen=True)
class Country:
    """A country or territory: ISO 3166-1 alpha-2, alpha-3, English name."""

    iso2: str
    iso3: str
    name: str


def _key(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    return re.sub(r"[^a-z]", "", "".join(c for c in plain if not unicodedata.combining(c)).lower())


@functools.lru_cache(maxsize=1)
def _known() -> tuple[dict[str, Country], dict[str, Country]]:
    """Return countries by key of any name or code, and by alpha-2 code."""
    by_key: dict[str, Country] = {}
    by_code: dict[str, Country] = {}
    with open(_TABLE, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            country = Country(row["iso2"], row["iso3"], row["name"])
            by_code[country.iso2] = country
            for name in (country.iso2, country.iso3, country.name, *filter(None, row["also"].split("|"))):
                by_key.setdefault(_key(name), country)
    return by_key, by_code


def find_country(text: str | None) -> Country | None:
    """Return the country that a name or code means, ignoring case, accents and punctuation; None if it is unknown or empty."""
    return _known()[0].get(_key(text)) if text else None


def by_code(iso2: str) -> Country | None:
    """Return the country with this alpha-2 code."""
    return _known()[1].get(iso2)


def same_country(one: str, other: str) -> bool:
    """Tell whether two alpha-2 codes are the same country; an overseas department is also its mother country."""
    return one == other or _PART_OF.get(one) == other or _PART_OF.get(other) == one
