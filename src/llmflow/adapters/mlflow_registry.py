"""The model registry on MLflow: a registered model holds adapters as versions; tags hold what is known of each.

Every version has a run of the experiment `models` with its files and verdicts; every promotion is a run of the experiment
`promotions`. Works on a database file and on a server alike.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llmflow.adapters.mlflow_opening import open_mlflow
from llmflow.errors import NotFound, SettingsError, StoreUnavailable
from llmflow.ports import ModelVersion, PromotionEvent, ServedAdapter
from llmflow.wording import said

TAG = "llmflow."
ALIASES = ("candidate", "champion", "previous")


class MlflowRegistry:
    """ModelRegistry over a tracking address. Connects on first use."""

    def __init__(self, uri: str, model: str = "chat", artifacts: str = ""):
        """`artifacts` is where experiments that are made here keep their files; empty leaves it to the server."""
        self.model = model
        self._uri = uri
        self._artifacts = artifacts
        self._opened: Any = None

    def register(
        self, folder: str, digest: str, place: Callable[[str], str], facts: Mapping[str, str], metrics: Mapping[str, float]
    ) -> ModelVersion:
        client = self._client()
        with _registry_errors(self._uri):
            known = next((version for version in self.versions() if version.adapter.digest == digest), None)
            if known is None:
                run = client.create_run(self._experiment("models"), run_name=f"register {digest[:8]}")
                for key, value in metrics.items():
                    client.log_metric(run.info.run_id, _metric(key), value)
                client.log_artifacts(run.info.run_id, folder, "adapter")
                source = f"{run.info.artifact_uri}/adapter"
                created = client.create_model_version(self.model, source, run.info.run_id)
                name = f"{self.model}-v{created.version}-{digest[:8]}"
                own = {"path": place(name), "digest": digest, "metrics": json.dumps(dict(metrics)), **facts}
                for key, value in own.items():
                    client.set_model_version_tag(self.model, created.version, TAG + key, value)
                client.set_model_version_tag(self.model, created.version, f"{TAG}name", name)  # last: complete from here on
                client.set_terminated(run.info.run_id)
                known = self.version(name)
            self.set_aliases({"candidate": known})
            return self.version(known.adapter.name)

    def versions(self) -> list[ModelVersion]:
        client = self._client()
        with _registry_errors(self._uri):
            aliases: dict[str, list[str]] = {}
            for alias, number in client.get_registered_model(self.model).aliases.items():
                aliases.setdefault(str(number), []).append(alias)
            found = client.search_model_versions(f"name = '{self.model}'", max_results=1000)
            complete = [row for row in found if f"{TAG}name" in row.tags]
            newest = sorted(complete, key=lambda row: int(row.version), reverse=True)
            return [_version(row, tuple(sorted(aliases.get(str(row.version), ())))) for row in newest]

    def version(self, name: str) -> ModelVersion:
        every = self.versions()
        for version in every:
            if name == version.adapter.name or name in version.aliases or name == str(version.number):
                return version
        known = ", ".join(version.adapter.name for version in every[:10]) or "none yet: run the finetuning pipeline"
        raise NotFound(said("model.none_named", name=name, known=known))

    def aliased(self, alias: str) -> ModelVersion | None:
        return next((version for version in self.versions() if alias in version.aliases), None)

    def set_aliases(self, aliases: Mapping[str, ModelVersion | None]) -> None:
        client = self._client()
        with _registry_errors(self._uri):
            held = client.get_registered_model(self.model).aliases
            for alias, version in aliases.items():
                if alias not in ALIASES:
                    raise SettingsError(f"Unknown alias '{alias}'. Choose one of: {', '.join(ALIASES)}.")
                if version is not None:
                    client.set_registered_model_alias(self.model, alias, str(version.number))
                elif alias in held:
                    client.delete_registered_model_alias(self.model, alias)

    def keep_verdict(self, version: ModelVersion, text: str, decision: str) -> None:
        client = self._client()
        with _registry_errors(self._uri):
            client.log_text(version.run_id, text, f"verdicts/{datetime.now(UTC):%Y%m%dT%H%M%S%f}.json")
            client.set_model_version_tag(self.model, str(version.number), f"{TAG}verdict_text", text)
            client.set_model_version_tag(self.model, str(version.number), f"{TAG}verdict", decision)

    def verdict(self, version: ModelVersion) -> str:
        with _registry_errors(self._uri):
            return self._client().get_model_version(self.model, str(version.number)).tags.get(f"{TAG}verdict_text", "")

    def record(self, event: PromotionEvent) -> None:
        client = self._client()
        with _registry_errors(self._uri):
            run = client.create_run(
                self._experiment("promotions"),
                run_name=f"{event.action} {event.champion}",
                tags={TAG + key: str(value) for key, value in asdict(event).items()} | {f"{TAG}model": self.model},
            )
            client.set_terminated(run.info.run_id)

    def history(self, limit: int = 50) -> Sequence[PromotionEvent]:
        client = self._client()
        with _registry_errors(self._uri):
            wanted = f"tags.`{TAG}model` = '{self.model}'"
            runs = client.search_runs([self._experiment("promotions")], wanted, order_by=["start_time DESC"], max_results=limit)
            names = [field.name for field in fields(PromotionEvent)]
            return [PromotionEvent(**{name: run.data.tags.get(TAG + name, "") for name in names}) for run in runs]

    def _client(self) -> Any:
        if self._opened is None:
            from mlflow.exceptions import MlflowException

            if self._uri.startswith("sqlite:///"):
                Path(self._uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
            with _registry_errors(self._uri):
                client = open_mlflow(self._uri)
                try:
                    client.get_registered_model(self.model)
                except MlflowException:
                    client.create_registered_model(self.model)
                self._opened = client
        return self._opened

    def _experiment(self, name: str) -> str:
        client = self._client()
        found = client.get_experiment_by_name(name)
        if found is not None:
            return found.experiment_id
        where = (Path(self._artifacts) / name).resolve().as_uri() if self._artifacts else None
        return client.create_experiment(name, artifact_location=where)


def _version(row: Any, aliases: tuple[str, ...]) -> ModelVersion:
    tags = {key.removeprefix(TAG): value for key, value in row.tags.items() if key.startswith(TAG)}
    return ModelVersion(
        adapter=ServedAdapter(tags["name"], tags["path"], tags["digest"]),
        number=int(row.version),
        base_model=tags.get("base_model", ""),
        base_fingerprint=tags.get("base_fingerprint", ""),
        rank=int(tags.get("rank", "0")),
        smoke=tags.get("smoke") == "true",
        created_at=datetime.fromtimestamp(row.creation_timestamp / 1000, UTC).isoformat(timespec="seconds"),
        aliases=aliases,
        metrics=json.loads(tags.get("metrics", "{}")),
        verdict=tags.get("verdict", ""),
        run_id=row.run_id or "",
        snapshot=tags.get("snapshot", ""),
    )


def _metric(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "_-./ " else "_" for letter in name)


@contextmanager
def _registry_errors(uri: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as exc:
        shown = uri.rpartition("@")[2]
        raise StoreUnavailable(f"The model registry at {shown} failed: {exc.message}. Check that it is reachable.") from exc
