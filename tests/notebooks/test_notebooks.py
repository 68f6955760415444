"""Every notebook runs from its own folder under conf/test, and is committed without outputs."""

import ast
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from running import LIMIT_SECONDS, ROOT, environment

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
PLOTS = {"01_corpus": 2, "02_ingestion": 2, "03_retrieval": 6, "04_finetuning": 4, "05_promotion": 2}


@dataclass(frozen=True)
class Executed:
    home: Path
    notebooks: dict[str, nbformat.NotebookNode]


@pytest.fixture(scope="module")
def executed(tmp_path_factory) -> Executed:
    """All notebooks run in their order over one workspace, on a kernel of this Python."""
    folder = tmp_path_factory.mktemp("notebooks")
    kernel = folder / "jupyter" / "kernels" / "llmflow"
    kernel.mkdir(parents=True)
    start = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": start, "display_name": "llmflow", "language": "python"}))
    own = {name: str(folder / name.lower()) for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR")}
    variables = environment(folder / "home", {"JUPYTER_PATH": str(folder / "jupyter"), **own})
    variables.pop("MPLBACKEND", None)  # the kernel draws into the notebook
    results = {}
    for path in NOTEBOOKS:
        output = folder / path.name
        command = [sys.executable, "-m", "papermill", str(path), str(output), "-k", "llmflow", "-p", "env", "test"]
        command += ["--no-progress-bar", "--cwd", str(path.parent)]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        results[path.stem] = nbformat.read(output, as_version=4)
    return Executed(folder / "home", results)


def outputs_of(notebook: nbformat.NotebookNode, kind: str) -> list[str]:
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    if kind == "text":
        return [output["text"] for output in shown if output.output_type == "stream" and output.name == "stdout"]
    return [output["data"][kind] for output in shown if kind in output.get("data", {})]


@pytest.mark.slow
@pytest.mark.xdist_group("notebooks")
@pytest.mark.parametrize("name", NAMES)
def test_notebook_runs_and_concludes(name, executed):
    notebook = executed.notebooks[name]
    assert len(outputs_of(notebook, "image/png")) >= PLOTS[name]
    conclusion = "".join(output["text"] for output in notebook.cells[-1].outputs if output.get("name") == "stdout")
    assert re.search(r"\d", conclusion)


@pytest.mark.slow
@pytest.mark.xdist_group("notebooks")
def test_notebooks_say_what_the_workspace_holds(executed):
    ingestion = "".join(outputs_of(executed.notebooks["02_ingestion"], "text"))
    assert "The stores agree with the state database." in ingestion
    assert re.search(r"(\d+) of \1 documents are served", ingestion)
    retrieval = "".join(outputs_of(executed.notebooks["03_retrieval"], "text"))
    assert "No question was shown a passage that its asker may not read." in retrieval
    assert (executed.home / "state.db").exists()


@pytest.mark.parametrize("name", NAMES)
class TestCommitted:
    def read(self, name: str) -> nbformat.NotebookNode:
        return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)

    def test_begins_with_a_question_and_ends_with_a_conclusion(self, name):
        cells = self.read(name).cells
        assert cells[0].cell_type == "markdown"
        assert cells[0].source.startswith("# ") and cells[0].source.splitlines()[0].endswith("?")
        assert (cells[-2].cell_type, cells[-2].source) == ("markdown", "## Conclusion")
        assert "print(" in cells[-1].source

    def test_has_one_parameters_cell_of_plain_values(self, name):
        tagged = [cell for cell in self.read(name).cells if "parameters" in cell.metadata.get("tags", [])]
        assert len(tagged) == 1
        body = ast.parse(tagged[0].source).body
        assert all(isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant) for line in body)
        assert "env" in {target.id for line in body for target in line.targets}

    def test_defines_no_functions_and_holds_no_outputs(self, name):
        notebook = self.read(name)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert all(not cell.outputs and cell.execution_count is None for cell in code)
        definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
        assert not [node for cell in code for node in ast.walk(ast.parse(cell.source)) if isinstance(node, definitions)]
        assert sum(len(cell.source.splitlines()) for cell in code) < 120

    def test_names_no_place_of_one_machine(self, name):
        text = (ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
        assert not re.search(r"""["'(\s](/[a-z]+/|~/|[A-Z]:\\\\)""", text)
        assert "papermill" not in json.loads(text)["metadata"]
