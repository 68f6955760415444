"""Judged question sets: passages, questions and what is right for each.

Read are BEIR folders, KorQuAD 1.0 files (SQuAD layout), our own questions over ingested documents, and bare lists of
passages, which have no questions and serve for scale.
"""

import re
from dataclasses import asdict, replace
from pathlib import Path

from llmflow.errors import DatasetError
from llmflow.evaluation.json_rows import Row, parse_json, read_lines, read_rows, read_text, require_unique, write_rows
from llmflow.evaluation.judged_questions import (
    BENCHMARK_TENANT,
    Evidence,
    JudgedQuestion,
    JudgedSet,
    Origin,
    Passage,
    Review,
)
from llmflow.types import Principal

__all__ = [
    "BENCHMARK_TENANT",
    "SAMPLE_KINDS",
    "Evidence",
    "JudgedQuestion",
    "JudgedSet",
    "Origin",
    "Passage",
    "Review",
    "export_beir",
    "load_beir",
    "load_judged_set",
    "load_korquad",
    "load_sample_questions",
    "sample_row",
]

SAMPLE_KINDS = ("single", "multi", "table", "cross_language", "permission", "unanswerable")
_SAMPLE_FIELDS = (
    "id", "text", "language", "kind", "tenant", "groups", "answer", "aliases", "evidence", "forbidden", "origin", "review",
)  # fmt: skip
DECISIONS = ("accepted", "rejected")


def load_judged_set(path: Path | str, drop_titles: bool = False) -> JudgedSet:
    """Return the set at `path`, its layout told by content.

    A folder with `queries.jsonl` is BEIR; a `.jsonl` file is our own questions; a `.json` file, or a folder that holds a
    single one, is KorQuAD when it holds an object and a corpus without questions when it holds a list of {title, text}.
    `drop_titles` empties the passages' titles, which shows what a method owes to them.
    """
    path = Path(path)
    if not path.exists():
        raise DatasetError(f"{path}: no such file or folder. Give a BEIR folder, a KorQuAD .json file or a .jsonl of questions.")
    if path.is_dir():
        judged_set = _load_folder(path)
    elif path.suffix == ".jsonl":
        judged_set = JudgedSet(path.stem, (), load_sample_questions(path))
    else:
        judged_set = _load_json(path)
    if not drop_titles:
        return judged_set
    return replace(judged_set, passages=tuple(replace(passage, title="") for passage in judged_set.passages))


def _load_folder(folder: Path) -> JudgedSet:
    if any((folder / name).exists() for name in ("queries.jsonl", "queries.jsonl.gz")):
        return load_beir(folder)
    files = sorted(folder.glob("*.json"))
    if len(files) == 1:
        return replace(_load_json(files[0]), name=folder.name)
    raise DatasetError(
        f"{folder}: neither a BEIR set (corpus.jsonl, queries.jsonl, qrels/test.tsv) nor one KorQuAD file "
        f"({len(files)} .json files found). Name the file that is meant."
    )


def _load_json(path: Path) -> JudgedSet:
    content = parse_json(str(path), read_text(path))
    if not isinstance(content, list):
        return load_korquad(path)
    rows = [Row.of(f"{path} [{position}]", value) for position, value in enumerate(content)]
    passages = (Passage(str(position), row.text("title", ""), row.text("text")) for position, row in enumerate(rows))
    return JudgedSet(path.stem, tuple(passages), ())


def load_beir(folder: Path | str, split: str = "test") -> JudgedSet:
    """Return a BEIR folder as a set named after the folder.

    Reads `corpus.jsonl`, `queries.jsonl` (plain or `.gz`) and `qrels/{split}.tsv`, or the only file of `qrels/`; its header
    line is optional. Questions of other splits, which the qrels do not name, are left out.
    """
    folder = Path(folder)
    passages = tuple(
        Passage(row.text("_id"), row.text("title", ""), row.text("text", "")) for row in read_rows(_find(folder, "corpus.jsonl"))
    )
    require_unique((passage.id for passage in passages), folder / "corpus.jsonl")
    questions = [_beir_question(row) for row in read_rows(_find(folder, "queries.jsonl"))]
    require_unique((question.id for question in questions), folder / "queries.jsonl")
    qrels = _read_qrels(_find_qrels(folder, split), {question.id for question in questions}, {passage.id for passage in passages})
    judged = (replace(question, relevant=qrels.get(question.id, {})) for question in questions)
    kept = tuple(question for question in judged if question.relevant or question.evidence or not question.answerable)
    if not kept:
        raise DatasetError(f"{folder}: no question is judged. Add lines to qrels/{split}.tsv.")
    return JudgedSet(folder.name, passages, kept)


def export_beir(judged_set: JudgedSet, folder: Path | str) -> None:
    """Write `corpus.jsonl`, `queries.jsonl` and `qrels/test.tsv`; what BEIR has no place for goes to `metadata`.

    `load_beir` reads the same set back, its name aside, unless a question has neither judgement nor evidence.
    Raises DatasetError for ids that cannot stand in a TSV file and for grades of passages that the set lacks.
    """
    folder = Path(folder)
    known = {passage.id for passage in judged_set.passages}
    for identifier in (*known, *(question.id for question in judged_set.questions)):
        if not identifier or re.search(r"[\t\r\n]", identifier):
            raise DatasetError(f"{judged_set.name}: id {identifier!r} cannot stand in qrels. Use ids without tab or line break.")
    lines = ["query-id\tcorpus-id\tscore"]
    for question in judged_set.questions:
        for passage_id, grade in question.relevant.items():
            if passage_id not in known:
                raise DatasetError(
                    f"{judged_set.name}: question {question.id!r} judges passage {passage_id!r}, which the set lacks."
                )
            lines.append(f"{question.id}\t{passage_id}\t{grade}")
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    write_rows(folder / "corpus.jsonl", ({"_id": p.id, "title": p.title, "text": p.text} for p in judged_set.passages))
    write_rows(
        folder / "queries.jsonl",
        ({"_id": question.id, "text": question.text, "metadata": _metadata(question)} for question in judged_set.questions),
    )
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def load_korquad(path: Path | str) -> JudgedSet:
    """Return a KorQuAD 1.0 file: one passage per distinct paragraph, titled by its article; one relevant passage a question.

    A paragraph that stands under several articles keeps its first title. Passage ids are running numbers from 0.
    """
    path = Path(path)
    document = Row.of(str(path), parse_json(str(path), read_text(path)))
    passages: dict[str, Passage] = {}
    questions: list[JudgedQuestion] = []
    for article in document.rows("data"):
        for paragraph in article.rows("paragraphs"):
            text = paragraph.text("context")
            passage = passages.setdefault(text, Passage(str(len(passages)), article.text("title", ""), text))
            for asked in paragraph.rows("qas"):
                answers = list(dict.fromkeys(answer.text("text") for answer in asked.rows("answers")))
                questions.append(
                    JudgedQuestion(
                        asked.text("id"),
                        asked.text("question"),
                        "ko",
                        relevant={passage.id: 1},
                        answer=answers[0] if answers else None,
                        aliases=tuple(answers[1:]),
                    )
                )
    if not questions:
        raise DatasetError(f"{path}: no question found. KorQuAD 1.0 is expected: data > paragraphs > context and qas.")
    require_unique((question.id for question in questions), path)
    return JudgedSet(path.stem, tuple(passages.values()), tuple(questions))


def load_sample_questions(path: Path | str, with_rejected: bool = False) -> tuple[JudgedQuestion, ...]:
    """Return our own questions over ingested documents, one JSON object a line, in the file's order.

    Fields: id, text, language, kind, tenant, groups, answer, evidence [{source, quote}], forbidden, and optionally aliases,
    origin (who generated it) and review (who decided what). Questions that a review rejected are left out unless asked for.
    A question without evidence is unanswerable for its principal; only the kinds `unanswerable` and `permission` may be so.
    """
    path = Path(path)
    questions = tuple(_sample_question(row) for row in read_rows(path))
    require_unique((question.id for question in questions), path)
    return tuple(question for question in questions if with_rejected or question.standing != "rejected")


def _sample_question(row: Row) -> JudgedQuestion:
    unknown = sorted(set(row.fields) - set(_SAMPLE_FIELDS))
    if unknown:
        raise DatasetError(f"{row.where}: unknown field {unknown[0]!r}. Allowed: {', '.join(_SAMPLE_FIELDS)}.")
    kind, evidence, forbidden = row.text("kind"), _evidence(row), row.texts("forbidden")
    if kind not in SAMPLE_KINDS:
        raise DatasetError(f"{row.where}: unknown kind {kind!r}. Choose one of: {', '.join(SAMPLE_KINDS)}.")
    if kind == "unanswerable" and evidence:
        raise DatasetError(f"{row.where}: an unanswerable question has evidence. Remove it or choose another kind.")
    if kind == "permission" and not forbidden:
        raise DatasetError(f"{row.where}: a permission question needs the sources it must not reach. Fill 'forbidden'.")
    if kind not in ("unanswerable", "permission") and not evidence:
        raise DatasetError(
            f"{row.where}: a question of kind {kind!r} needs evidence. Add {{source, quote}} or choose 'unanswerable'."
        )
    return JudgedQuestion(
        row.text("id"),
        row.text("text"),
        row.text("language"),
        kind,
        Principal(row.text("tenant"), frozenset(row.texts("groups"))),
        evidence=evidence,
        forbidden=forbidden,
        answer=row.text("answer", "") or None,
        answerable=bool(evidence),
        aliases=row.texts("aliases"),
        origin=_origin(row),
        review=_review(row),
    )


def sample_row(question: JudgedQuestion) -> dict[str, object]:
    """Return a question as a line of our own format, the inverse of what `load_sample_questions` reads."""
    row: dict[str, object] = {
        "id": question.id,
        "text": question.text,
        "language": question.language,
        "kind": question.kind,
        "tenant": question.principal.tenant,
        "groups": sorted(question.principal.groups),
        "answer": question.answer or "",
        "evidence": [{"source": item.source, "quote": item.quote} for item in question.evidence],
        "forbidden": list(question.forbidden),
    }
    return row | ({"aliases": list(question.aliases)} if question.aliases else {}) | _provenance(question)


def _beir_question(row: Row) -> JudgedQuestion:
    text = row.text("text")
    metadata = Row.of(f"{row.where} metadata", row.fields.get("metadata") or {})
    answers = metadata.texts("answers")
    principal = Principal(metadata.text("tenant", BENCHMARK_TENANT), frozenset(metadata.texts("groups")))
    return JudgedQuestion(
        row.text("_id"),
        text,
        metadata.text("language", "") or _main_language(text),
        metadata.text("kind", ""),
        principal,
        evidence=_evidence(metadata),
        forbidden=metadata.texts("forbidden"),
        answer=answers[0] if answers else None,
        answerable=metadata.fields.get("answerable", True) is not False,
        aliases=answers[1:],
        origin=_origin(metadata),
        review=_review(metadata),
    )


def _metadata(question: JudgedQuestion) -> dict[str, object]:
    metadata: dict[str, object] = {
        "answers": [] if question.answer is None else [question.answer, *question.aliases],
        "language": question.language,
        "kind": question.kind,
        "tenant": question.principal.tenant,
        "groups": sorted(question.principal.groups),
        "evidence": [{"source": item.source, "quote": item.quote} for item in question.evidence],
        "forbidden": list(question.forbidden),
    }
    kept = {name: value for name, value in metadata.items() if value}
    return kept | ({} if question.answerable else {"answerable": False}) | _provenance(question)


def _provenance(question: JudgedQuestion) -> dict[str, object]:
    found = {"origin": question.origin, "review": question.review}
    return {name: asdict(value) for name, value in found.items() if value is not None}


def _origin(row: Row) -> Origin | None:
    if not row.fields.get("origin"):
        return None
    found = Row.of(f"{row.where} origin", row.fields["origin"])
    return Origin(
        found.text("generator"), found.text("template", ""), found.text("model", ""), found.text("date", ""),
        found.text("fingerprint", ""),
    )  # fmt: skip


def _review(row: Row) -> Review | None:
    if not row.fields.get("review"):
        return None
    found = Row.of(f"{row.where} review", row.fields["review"])
    decision = found.text("decision")
    if decision not in DECISIONS:
        raise DatasetError(f"{found.where}: unknown decision {decision!r}. Choose one of: {', '.join(DECISIONS)}.")
    return Review(
        decision, found.text("by", ""), found.text("at", ""), found.fields.get("edited") is True, found.text("note", "")
    )


def _evidence(row: Row) -> tuple[Evidence, ...]:
    items = row.rows("evidence") if row.fields.get("evidence") else []
    return tuple(Evidence(item.text("source"), item.text("quote")) for item in items)


def _main_language(text: str) -> str:
    korean, latin = len(re.findall(r"[가-힣ㄱ-ㆎ]", text)), len(re.findall(r"[A-Za-z]", text))
    if korean == latin == 0:
        return "other"
    return "ko" if korean >= latin else "en"


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return path
    raise DatasetError(f"{folder / name}: missing. A BEIR set has corpus.jsonl, queries.jsonl and qrels/test.tsv.")


def _find_qrels(folder: Path, split: str) -> Path:
    files = sorted((folder / "qrels").glob("*.tsv"))
    named = folder / "qrels" / f"{split}.tsv"
    if named in files:
        return named
    if len(files) == 1:
        return files[0]
    found = ", ".join(path.stem for path in files) or "none"
    raise DatasetError(f"{named}: missing. Splits found: {found}. Name one of them as the split.")


def _read_qrels(path: Path, question_ids: set[str], passage_ids: set[str]) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        cells = line.split("\t")
        is_grade = len(cells) == 3 and re.fullmatch(r"\s*[+-]?\d+\s*", cells[2])
        if number == 1 and not is_grade and len(cells) == 3:
            continue
        if not is_grade:
            raise DatasetError(
                f"{path}:{number}: three columns are expected, query id, document id and whole grade, parted by tabs."
            )
        question_id, passage_id, grade = cells[0], cells[1], int(cells[2])
        if question_id not in question_ids:
            raise DatasetError(f"{path}:{number}: query {question_id!r} is not in queries.jsonl. Add it or remove the line.")
        if passage_id not in passage_ids:
            raise DatasetError(f"{path}:{number}: document {passage_id!r} is not in corpus.jsonl. Add it or remove the line.")
        if qrels.setdefault(question_id, {}).setdefault(passage_id, grade) != grade:
            raise DatasetError(f"{path}:{number}: {question_id!r} grades {passage_id!r} twice and differently. Keep one line.")
    return qrels
