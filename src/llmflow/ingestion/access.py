"""Who may read which file: `access.yml` beside the documents.

default: {tenant: hanbit, groups: ["*"]}
rules:                                      # the first that matches wins
  - {path: "hanbit/hr/**", tenant: hanbit, groups: [hr]}
"""

import re
from fnmatch import translate
from pathlib import Path
from typing import Annotated
from unicodedata import normalize

import yaml
from pydantic import StringConstraints, ValidationError

from llmflow.config import Settings
from llmflow.errors import SettingsError
from llmflow.types import EVERYONE

FILE_NAME = "access.yml"
Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")]


class Grant(Settings):
    """A tenant and the groups in it that may read; `*` is everyone in the tenant."""

    tenant: Name = "default"
    groups: tuple[Name, ...] = (EVERYONE,)


class Rule(Grant):
    path: str
    """Glob relative to the folder of access.yml; `**` crosses folders."""


class AccessRules(Settings):
    default: Grant = Grant()
    rules: tuple[Rule, ...] = ()

    def grant(self, relative: str) -> Grant:
        """Return who may read the file at `relative` (forward slashes)."""
        for rule in self.rules:
            if matches(rule.path, relative):
                return Grant(tenant=rule.tenant, groups=rule.groups)
        return self.default


def load_access(folder: Path, default: Grant) -> AccessRules:
    """Return the rules of `folder`; without an access.yml everything gets `default`.

    Raises SettingsError naming the file and what is wrong: a typing error must not open a document to everyone.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return AccessRules(default=default)
    try:
        return AccessRules.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as exc:
        raise SettingsError(
            f"{path} cannot be used: {exc}. Allowed: `default` and `rules`, each with `tenant` and `groups`; rules also `path`."
        ) from exc


def matches(pattern: str, relative: str) -> bool:
    """Return whether a path with forward slashes fits a glob; `*` and `**` both cross folders, Unicode forms are equal."""
    return re.match(translate(normalize("NFC", pattern).replace("**", "*")), normalize("NFC", relative)) is not None
