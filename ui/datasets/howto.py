"""*How to get datasets*: per role, the public products that the plugin knows, their licence and where they are."""

from __future__ import annotations

import html
import re

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.core.datasets.profiles import Profile, load_profile, profile_ids
from epoch_plugin.core.datasets.roles import ROLES


def howto_html() -> str:
    """Return the page."""
    profiles = [load_profile(name) for name in profile_ids()]
    parts = [f"<h3>{tr('How to get datasets')}</h3>", f"<p>{_intro()}</p>"]
    for role in ROLES.values():
        own = [profile for profile in profiles if role.name in profile.roles]
        parts.append(f"<h4>{role.name}: {html.escape(role.purpose)}</h4>")
        parts.append(f"<p><i>{tr('Without it:')}</i> {html.escape(role.missing)}</p>")
        if own:
            parts.append("<ul>" + "".join(_product(profile) for profile in own) + "</ul>")
    return "".join(parts)


def _intro() -> str:
    return tr(
        "The plugin reads rasters and vector layers that you have; it downloads nothing. Get the files for your area from their publishers, "
        "then press <b>Datasets…</b>, add the files or their folder, test them and save. For deforestation you need a forest baseline "
        "(<code>forest_2020</code>) and at least one detection system, better two or more; everything else sharpens the answer."
    )


def _product(profile: Profile) -> str:
    text = re.sub(r"(https?://[^\s)]+)", r"<a href='\1'>\1</a>", html.escape(profile.get_it))
    warning = "" if profile.commercial_use else f" <b>{tr('Not for commercial use without permission.')}</b>"
    return f"<li><b>{html.escape(profile.title)}</b> ({html.escape(profile.licence)}).{warning}<br/>{text}</li>"
