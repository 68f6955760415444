"""Write docs/tree.md, one line a file, from what each file says of itself: `make tree`."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("src", "apps", "conf", "notebooks", "data/sample", "benchmarks", "deploy", "tests", "docs")
LEFT_OUT = re.compile(r"^(data/sample/(corpus|sources|company_qa|instructions)/|docs/images/)")
HEAD = "# Every file, in one line\n\nMade by `make tree` from what each file says of itself; a test holds it to that.\n"


def files() -> list[str]:
    """Return the tracked files of the folders that are shown, sorted."""
    listed = subprocess.run(["git", "ls-files", "-z", "--", *FOLDERS], cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(path for path in listed.stdout.split("\0") if path and not LEFT_OUT.match(path) and (ROOT / path).is_file())


def line_of(path: Path) -> str:
    """Return what a file says of itself: the first sentence of its docstring, its heading or its first comment; else nothing."""
    if path.suffix not in {".py", ".md", ".ipynb", ".yml", ".yaml", ".toml", ".css", ".js", ".jinja", ""}:
        return ""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    if path.suffix == ".ipynb":
        text = "".join(next((cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"), []))
    comment = r"^(?:#+|/\*|//|\{#)\s*(.+?)\s*(?:\*/|#\})?$"
    found = re.search(comment, text, re.MULTILINE) if text.strip() else None
    return found[1] if found else ""


def page() -> str:
    """Return the page: a table a folder."""
    return HEAD + "".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    folder = None
    for path in files():
        parent = str(Path(path).parent)
        if parent != folder:
            yield f"\n## {parent}\n\n| file | |\n|---|---|\n"
            folder = parent
        yield f"| `{Path(path).name}` | {line_of(ROOT / path).replace('|', '/')} |\n"


if __name__ == "__main__":
    (ROOT / "docs" / "tree.md").write_text(page().rstrip() + "\n", encoding="utf-8")
    sys.stdout.write("docs/tree.md\n")
