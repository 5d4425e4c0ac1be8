"""One element of `datasets`, read and checked into an `Entry`: role, profile, encoding, years, nodata, sources."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from dataclasses import replace
from typing import Any

from epoch_plugin.core.datasets.encoding_json import merged, parse_encoding
from epoch_plugin.core.datasets.encodings import ClassesEncoding, Encoding
from epoch_plugin.core.datasets.entries import Entry, NodataRule, SourceRef
from epoch_plugin.core.datasets.extra_stats import parse_stat
from epoch_plugin.core.datasets.json_keys import Keys
from epoch_plugin.core.datasets.profiles import Profile, load_profile
from epoch_plugin.core.datasets.roles import DETECTION_KINDS, DETECTION_THEME, LAND_USES, ROLES, THEMES, Role, is_detection
from epoch_plugin.core.datasets.sources_json import parse_mask, parse_sources
from epoch_plugin.core.errors import InputError

ENTRY_KEYS = (
    "role", "title", "profile", "source", "sources", "years", "year", "until", "encoding", "nodata", "mask", "unit", "combine", "band",
    "layer", "where", "value_field", "themes", "theme", "stats",
)  # fmt: skip
EXAMPLES = {
    "mask": '{"kind": "mask", "values": [1]}', "classes": '{"kind": "classes", "class_map": {"10": "natural"}}',
    "loss_year": '{"kind": "loss_year", "offset": 2000}', "alert_date": '{"kind": "alert_date", "packing": "yyddd"}',
    "continuous": '{"kind": "continuous", "scale": 1}',
}  # fmt: skip
_ROLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_YEARLY = re.compile(r"(.+)_((?:19|20)\d\d)\Z")


def parse_entry(raw: Any, index: int, line: int | None, folder: str) -> Entry:
    """Check one element of `datasets` and return it; every `InputError` names the entry, its line and the key."""
    place = _place(raw, index, line)
    keys = Keys(raw, place, ENTRY_KEYS)
    name, theme = keys.text("role"), keys.choice("theme", (DETECTION_THEME,))
    role = ROLES.get(name)
    stats = tuple(parse_stat(text, f"{place}, key 'stats'") for text in keys.texts("stats"))
    themes = keys.texts("themes")
    for item in themes:
        Keys({"themes": item}, place, ("themes",)).choice("themes", THEMES)
    _check_role(keys, role, bool(stats or theme or themes))
    profile = _profile(keys)
    nodata = _nodata(keys, profile)
    keys = _with_profile_where(keys, profile)
    own_years, vector = _years(keys), profile is not None and profile.kind == "vector"
    year = keys.integer("year", 1900, 2199)
    year = profile.year if year is None and profile is not None else year
    sources = parse_sources(keys, folder, own_years, year, vector)
    encoding, named = _encoding(keys, role, profile, nodata, sources, is_detection(name, theme))
    nodata = replace(nodata, answers=encoding.none if named else ())
    years, until = _record(keys, own_years, profile, sources, encoding)
    entry = Entry(
        index=index, line=line, role=name, profile=profile, encoding=encoding, nodata=nodata, sources=sources, years=years, until=until,
        title=keys.text("title", profile.title if profile else name),
        year=sources[0].year if len(sources) == 1 else None,
        unit=_unit(keys, role, profile),
        mask=parse_mask(raw["mask"], place, folder) if "mask" in keys else None,
        themes=themes, theme=theme, stats=stats, raw=raw,
    )  # fmt: skip
    _check_time(keys, entry, role)
    return entry


def _place(raw: Any, index: int, line: int | None) -> str:
    role = raw.get("role") if isinstance(raw, dict) else None
    name = f" ('{role}')" if isinstance(role, str) else ""
    return f"Datasets file, entry {index}{name}" + (f", line {line}" if line else "")


def _check_role(keys: Keys, role: Role | None, used_elsewhere: bool) -> None:
    name = keys.text("role")
    if not name:
        raise keys.error("role", "is missing.")
    if not _ROLE.match(name):
        raise keys.error("role", f"'{name}': a role is a letter followed by letters, digits and _.")
    if role is not None:
        return
    yearly = _YEARLY.match(name)
    if yearly and yearly.group(1) in ROLES:
        raise keys.error("role", f"write \"role\": \"{yearly.group(1)}\" and \"year\": {yearly.group(2)}.")
    if name.lower() in ROLES:
        raise keys.error("role", f"'{name}' is written '{name.lower()}'.")
    if not used_elsewhere:
        close = difflib.get_close_matches(name, ROLES, n=1)
        hint = f"Did you mean '{close[0]}'?" if close else f"Known roles: {', '.join(ROLES)}."
        raise keys.error("role", f"'{name}' is not known, and an entry of your own needs 'stats', 'themes' or \"theme\": \"detection\". {hint}")


def _profile(keys: Keys) -> Profile | None:
    if "profile" not in keys:
        return None
    try:
        return load_profile(keys.text("profile"))
    except InputError as error:
        raise keys.error("profile", str(error)) from None


def _with_profile_where(keys: Keys, profile: Profile | None) -> Keys:
    if profile is None or not profile.where or "where" in keys:
        return keys
    return Keys({**keys.values, "where": profile.where}, keys.place, ENTRY_KEYS)


def _nodata(keys: Keys, profile: Profile | None) -> NodataRule:
    if "nodata" in keys:
        return NodataRule("entry", keys.nodata("nodata"))
    if profile is not None and profile.has_nodata:
        return NodataRule("profile", profile.nodata)
    return NodataRule("file")


def _years(keys: Keys) -> tuple[int, int] | None:
    if "years" not in keys:
        return None
    years = keys.numbers("years")
    if len(years) != 2 or any(y != int(y) or not 1900 <= y <= 2199 for y in years) or years[0] > years[1]:
        raise keys.error("years", "must be the first and the last year of the record, for example [2001, 2025].")
    return int(years[0]), int(years[1])


def _encoding(
    keys: Keys, role: Role | None, profile: Profile | None, nodata: NodataRule, sources: tuple[SourceRef, ...], detection: bool
) -> tuple[Encoding, bool]:
    """Return the encoding, and whether profile or entry name its `none` (rather than the usual 0 of years and dates)."""
    own = keys.values.get("encoding")
    if own is not None and not isinstance(own, dict):
        raise keys.error("encoding", "must be an object with a 'kind'.")
    kinds = DETECTION_KINDS if detection else role.kinds if role else ()
    values = merged(profile.encoding_for(keys.text("role")) if profile else None, own)
    if values is None:
        values = _default(keys, kinds, sources[0])
    nodata_zero = nodata.origin == "entry" and nodata.value == 0
    encoding = parse_encoding(values, f"{keys.place}, key 'encoding'", nodata_zero)
    if kinds and encoding.kind not in kinds:
        raise keys.error("encoding", f"is of kind '{encoding.kind}', but this role needs {' or '.join(kinds)}; say how to read it, "
                                     f"for example {EXAMPLES[kinds[0]]}.")  # fmt: skip
    if nodata.origin == "entry" and nodata.value is not None and nodata.value in encoding.none:
        raise keys.error("nodata", f"{nodata.value} is also the value that means 'looked, found none' ({values.get('none')}): "
                                   'if it means not seen in your file, add "encoding": {"none": null}; if not, leave nodata out.')  # fmt: skip
    if keys.text("role") == "lc" and isinstance(encoding, ClassesEncoding) and not _maps_land_use(encoding):
        raise keys.error("encoding", f"the class map of land cover says {', '.join(LAND_USES)} for each class.")
    if detection and isinstance(encoding, ClassesEncoding) and not encoding.forest:
        raise keys.error("encoding", 'classes of a detection system need "forest": the classes that are forest, for example [1, 2].')
    return encoding, "none" in values


def _maps_land_use(encoding: ClassesEncoding) -> bool:
    return bool(encoding.class_map) and {use for _, use in encoding.class_map} <= set(LAND_USES)


def _default(keys: Keys, kinds: tuple[str, ...], source: SourceRef) -> dict[str, Any]:
    """The encoding of an entry that states none: measured values, or a vector layer's inside and outside; masks are never guessed."""
    if not kinds or kinds == ("continuous",):
        return {"kind": "continuous"}
    if "mask" in kinds and source.vector and not source.value_field:
        return {"kind": "mask", "values": [1], "none": [0]}
    raise keys.error("encoding", f"is missing: say what the stored values mean, for example {EXAMPLES[kinds[0]]}, or name a profile.")


def _unit(keys: Keys, role: Role | None, profile: Profile | None) -> str:
    allowed = role.units if role else ()
    unit = keys.choice("unit", allowed) if allowed else keys.text("unit")
    unit = unit or (profile.unit if profile else "")
    if allowed and not unit:
        if len(allowed) > 1:
            raise keys.error("unit", f"is missing; it is one of {', '.join(allowed)}.")
        return allowed[0]
    if allowed and unit not in allowed:
        raise keys.error("unit", f"'{unit}' of the profile does not fit this role; it is one of {', '.join(allowed)}.")
    return unit


def _record(
    keys: Keys, own: tuple[int, int] | None, profile: Profile | None, sources: tuple[SourceRef, ...], encoding: Encoding
) -> tuple[tuple[int, int] | None, dt.date | None]:
    """Return the years of the record and the last day of dated alerts; what the entry leaves open comes from profile and file names."""
    until = keys.date("until")
    if until is not None and encoding.kind != "alert_date":
        raise keys.error("until", "applies to dated alerts only; give 'years'.")
    bound = [ref.year for ref in sources if ref.year is not None]
    if encoding.kind in ("mask", "classes", "continuous"):
        return (min(bound), max(bound)) if bound else own, None
    named = profile.record(tuple(name for ref in sources for name in ref.files)) if profile else (None, None)
    if own and profile and profile.last_year_in_name and named[1] is not None and own[1] > named[1]:
        # a year that the file cannot know would count as looked at and found clean
        raise keys.error("years", f"end in {own[1]}, but by its name the file ends in {named[1]}; correct one of them.")
    first, last = own or named
    last = until.year if until is not None else last
    if first is None or last is None:
        return None, until
    if first > last:
        raise keys.error("until" if until else "years", f"the record would end in {last}, before it starts in {first}.")
    if encoding.kind == "alert_date" and until is None:
        until = dt.date(last, 12, 31)
    return (first, last), until


def _check_time(keys: Keys, entry: Entry, role: Role | None) -> None:
    if entry.detection and entry.encoding.kind in ("loss_year", "alert_date") and entry.years is None:
        name_says = " (the release is not in the file name)" if entry.profile and entry.profile.last_year_in_name else ""
        if entry.encoding.kind == "alert_date":
            raise keys.error("until", f"is missing{name_says}: the last day of the record, and 'years' if the profile gives none.")
        raise keys.error("years", f"is missing{name_says}: give the first and last year that the file knows, for example [2001, 2025].")
    if len(entry.sources) > 1 and entry.encoding.kind in ("loss_year", "alert_date"):
        raise keys.error("sources", "one layer of years or dates holds the whole record; give it as 'source'.")
    if len(entry.sources) > 1 and role is not None and role.single and not entry.detection:
        raise keys.error("sources", "this role is one layer; give it as 'source', with its 'year'.")
    if entry.sources[0].combine and entry.encoding.kind != "continuous":
        raise keys.error("combine", f"adds or averages measured values; {entry.encoding.kind} layers cannot be combined.")
    undated = [ref for ref in entry.sources if ref.year is None]
    if undated and (entry.series or (role is not None and role.series)):
        raise keys.error("year", "is missing: this role holds one layer per year; give 'year', or 'sources' by year.")
