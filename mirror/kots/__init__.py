"""KOTS, as its command line shows it: commands as values, and how their answers are believed.

`commands` are those of an air gapped site, `connected` those that differ where the site can reach
the vendor, `daily` what comes between installs and upgrades, `outcome` reads what they say.
"""

from mirror.kots.commands import (
    PLUGIN_ON_PATH,
    Engine,
    Handover,
    cluster_flags,
    get_apps,
    get_config,
    get_console,
    get_versions,
    install,
    plugin_version,
    push_images,
    remove,
    take_snapshot,
    upgrade_application,
    upgrade_console,
)

__all__ = [
    "PLUGIN_ON_PATH",
    "Engine",
    "Handover",
    "cluster_flags",
    "get_apps",
    "get_config",
    "get_console",
    "get_versions",
    "install",
    "plugin_version",
    "push_images",
    "remove",
    "take_snapshot",
    "upgrade_application",
    "upgrade_console",
]
