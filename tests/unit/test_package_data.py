"""Files that are no Python and that an installed package needs: each is named in pyproject.toml."""

import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout: git says which files there are")
def test_every_file_beside_the_code_is_shipped():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    listed = subprocess.run(["git", "ls-files", "src", "apps"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    missing = []
    for path in (Path(line.removeprefix("src/")) for line in listed.splitlines() if not line.endswith(".py")):
        owners = [
            (package, pattern)
            for package, patterns in declared.items()
            for pattern in patterns
            if path.is_relative_to(package.replace(".", "/")) and path.relative_to(package.replace(".", "/")).match(pattern)
        ]
        missing += [] if owners else [str(path)]
    assert missing == []
