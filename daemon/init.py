"""Write a commented tierd.yaml and the shipped rules into a folder, never over what is there."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from daemon import ruleschema
from daemon.profiles import Profile, rules_of


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, and what was there already and left alone."""

    written: tuple[Path, ...]
    kept: tuple[Path, ...]


def template() -> str:
    """The commented configuration."""
    return (files("daemon") / "templates" / "tierd.yaml").read_text(encoding="utf-8")


def initialise(folder: Path, profile: Profile = Profile.ENTERPRISE, name: str = "tierd.yaml") -> Written:
    """Write the configuration and the profile's rules; raises OSError where the folder cannot be written."""
    wanted = {folder / name: template()}
    wanted |= {folder / "rules" / rules: text for rules, text in rules_of(profile).items()}
    wanted[folder / "rules" / ruleschema.FILE] = ruleschema.shipped()  # editors look for it beside the rules
    written, kept = [], []
    for path, text in wanted.items():
        if path.exists():
            kept.append(path)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return Written(tuple(written), tuple(kept))
