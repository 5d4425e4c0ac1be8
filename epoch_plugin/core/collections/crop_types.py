"""Commodities and what people call them; where they can grow."""

from __future__ import annotations

import re
import unicodedata

CROP_TYPES = ("palm", "cocoa", "rubber", "coffee", "soy", "cattle", "timber")
_ALIASES = {
    "palm": "oil palm|palm oil|palm_oil|palmier à huile|huile de palme|palma|palma de aceite|palma africana|aceite de palma|dendê|óleo de palma|"
            "sawit|kelapa sawit",
    "cocoa": "cacao|cacau|kakao|coklat|cocoa beans",
    "rubber": "natural rubber|caoutchouc|hevea|hévéa|caucho|hule|borracha|seringueira|karet",
    "coffee": "café|cafe|kopi|arabica|robusta|coffea",
    "soy": "soya|soybean|soybeans|soya bean|soja|kedelai|kedelé",
    "cattle": "beef|bovine|bovines|cow|cows|pasture|bétail|bovins|boeuf|ganado|ganado bovino|bovino|bovinos|gado|pecuária|sapi|ternak sapi",
    "timber": "wood|logs|roundwood|bois|madera|madeira|kayu|forestry|teak|eucalyptus|pine",
}  # fmt: skip
# Our own bounds (degrees): where each is grown at all, generously; only 0.05 of the location score rests on them.
LATITUDES = {
    "palm": (-20.0, 20.0), "cocoa": (-25.0, 25.0), "rubber": (-30.0, 32.0), "coffee": (-30.0, 30.0),
    "soy": (-45.0, 58.0), "cattle": (-56.0, 71.0), "timber": (-56.0, 71.0),
}  # fmt: skip


def _key(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    return re.sub(r"[^a-z]", "", "".join(c for c in plain if not unicodedata.combining(c)).lower())


_BY_KEY = {_key(alias): crop for crop, aliases in _ALIASES.items() for alias in (crop, *aliases.split("|"))}


def find_crop(text: str | None) -> str | None:
    """Return the commodity that a name in one of five languages means; None if it is unknown or empty."""
    return _BY_KEY.get(_key(text)) if text else None
