"""Seconds by stage."""


class Seconds(dict[str, float]):
    """Wall time added up under names."""

    def add(self, stage: str, seconds: float) -> None:
        self[stage] = self.get(stage, 0.0) + seconds
