"""Charts as plain SVG for self-contained pages: no script, no font, no address. Text and axes take the page's own colours."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7f3c8d", "#666666")
"""Told apart by people who see few colours (Okabe and Ito 2008), dark enough for lines on white."""
STYLE = """
.chart { width: 100%; max-width: 44rem; height: auto; display: block; }
.chart text { fill: currentColor; font-size: 12px; }
.chart .axis { stroke: currentColor; stroke-opacity: .55; }
.chart .grid { stroke: currentColor; stroke-opacity: .13; }
.chart .zero { stroke: currentColor; stroke-opacity: .8; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .2rem 0 1rem; font-size: .9rem; }
.legend i { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; margin-right: .4rem; vertical-align: -1px; }
"""
_WIDTH, _HEIGHT = 680, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 18, 14, 44


@dataclass(frozen=True, slots=True)
class Point:
    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class _Frame:
    """Maps values to places inside the axes."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        return _LEFT + (value - self.x_low) / (self.x_high - self.x_low) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - self.y_low) / (self.y_high - self.y_low) * (_HEIGHT - _TOP - _BOTTOM)


def colour_of(names: Sequence[str]) -> dict[str, str]:
    """Return a colour a name, the same in every chart of a page; they repeat after eight."""
    return {name: PALETTE[number % len(PALETTE)] for number, name in enumerate(names)}


def legend(names: Sequence[str], colours: Mapping[str, str]) -> str:
    items = "".join(f'<span><i style="background:{colours[name]}"></i>{escape(name)}</span>' for name in names)
    return f'<div class="legend">{items}</div>'


def line_chart(
    series: Mapping[str, Sequence[tuple[float, float]]], colours: Mapping[str, str], x_label: str, y_label: str, title: str
) -> str:
    """Return lines over the same few x values, set at equal distances; y are percents. The y axis starts below the lowest."""
    ticks = sorted({x for points in series.values() for x, _ in points})
    lowest = min(y for points in series.values() for _, y in points)
    frame = _Frame(0, max(len(ticks) - 1, 1), max(0.0, 10 * math.floor(lowest / 10 - 0.3)), 100.0)
    parts = [_y_axis(frame, y_label)]
    for place, tick in enumerate(ticks):
        parts.append(_text(frame.x(place), _HEIGHT - _BOTTOM + 18, f"{tick:g}", "middle"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 6, x_label, "middle"))
    for name, points in series.items():
        places = [(frame.x(ticks.index(x)), frame.y(y), x, y) for x, y in sorted(points)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colours[name]}" stroke-width="2"/>')
        parts += [_dot(x, y, colours[name], f"{name}: {value:.1f} at {at:g}") for x, y, at, value in places]
    return _svg(parts, _HEIGHT, title)


def pareto_chart(points: Sequence[Point], colours: Mapping[str, str], x_label: str, y_label: str, title: str) -> str:
    """Return a scatter plot with the frontier drawn: points that no other beats in both smaller x and larger y."""
    spread = max(point.y for point in points) - min(point.y for point in points)
    margin = max(1.0, 0.25 * spread)
    y_high = min(100.0, max(point.y for point in points) + margin)
    right = max(1.0, 1.15 * max(point.x for point in points))
    frame = _Frame(0.0, right, max(0.0, min(point.y for point in points) - margin), max(y_high, 1.0))
    parts = [_y_axis(frame, y_label)]
    for tick in _ticks(0.0, right):
        parts.append(_text(frame.x(tick), _HEIGHT - _BOTTOM + 18, f"{tick:g}", "middle"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 6, x_label, "middle"))
    path = " ".join(f"{frame.x(point.x):.1f},{frame.y(point.y):.1f}" for point in frontier(points))
    parts.append(f'<polyline points="{path}" fill="none" class="axis" stroke-dasharray="4 4"/>')
    for point in points:
        x, y = frame.x(point.x), frame.y(point.y)
        parts.append(_dot(x, y, colours[point.name], f"{point.name}: {point.y:.1f}, {point.x:.1f}", radius=6))
    return _svg(parts, _HEIGHT, title)


def frontier(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other beats in both, smallest x first; of equal ones the first.

    >>> [point.name for point in frontier([Point("a", 1, 50), Point("b", 2, 40), Point("c", 3, 60)])]
    ['a', 'c']
    """
    kept: list[Point] = []
    for point in sorted(points, key=lambda point: (point.x, -point.y)):
        if not kept or point.y > kept[-1].y:
            kept.append(point)
    return kept


def bar_chart(values: Sequence[tuple[str, float]], title: str) -> str:
    """Return thin bars up and down from zero, in the given order; values between -100 and 100."""
    height = 180
    step = min(24.0, (_WIDTH - _LEFT - _RIGHT) / max(len(values), 1))
    middle, reach = height / 2, height / 2 - 12
    parts = [_text(_LEFT - 8, place, label, "end") for place, label in ((16, "+100"), (middle + 4, "0"), (height - 8, "-100"))]
    for number, (name, value) in enumerate(values):
        size = abs(value) / 100 * reach
        top = middle - size if value > 0 else middle
        colour = PALETTE[2] if value > 0 else PALETTE[1]
        place = f'x="{_LEFT + number * step + 0.1 * step:.1f}" y="{top:.1f}" width="{0.8 * step:.1f}" height="{size:.1f}"'
        parts.append(f'<rect {place} fill="{colour}"><title>{escape(name)}: {value:+.0f}</title></rect>')
    parts.append(f'<line class="zero" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{middle}" y2="{middle}"/>')
    return _svg(parts, height, title)


def interval_chart(rows: Mapping[str, tuple[float, float, float]], colours: Mapping[str, str], title: str) -> str:
    """Return differences (mean, low, high) in points as dots with their intervals on one line each, zero marked."""
    line, left = 28, 190
    height = line * len(rows) + 40
    bounds = [0.0, *(bound for row in rows.values() for bound in row)]
    pad = max(1.0, 0.08 * (max(bounds) - min(bounds)))
    first, last = min(bounds) - pad, max(bounds) + pad

    def place(value: float) -> float:
        return left + (value - first) / (last - first) * (_WIDTH - left - _RIGHT)

    parts = []
    for tick in _ticks(first, last):
        css = "zero" if tick == 0 else "grid"
        parts.append(f'<line class="{css}" x1="{place(tick):.1f}" x2="{place(tick):.1f}" y1="6" y2="{height - 26}"/>')
        parts.append(_text(place(tick), height - 8, f"{tick:+g}" if tick else "0", "middle"))
    for number, (name, (mean, low, high)) in enumerate(rows.items()):
        y = 6 + line * (number + 0.5)
        shown = name if len(name) <= 26 else f"{name[:25]}…"
        parts.append(_text(left - 12, y + 4, shown, "end"))
        parts.append(
            f'<line stroke="{colours[name]}" stroke-width="3" x1="{place(low):.1f}" x2="{place(high):.1f}" y1="{y}" y2="{y}"/>'
        )
        parts.append(_dot(place(mean), y, colours[name], f"{name}: {mean:+.1f} ({low:+.1f} to {high:+.1f})", radius=5))
    return _svg(parts, height, title)


def _y_axis(frame: _Frame, label: str) -> str:
    parts = []
    for tick in _ticks(frame.y_low, frame.y_high):
        y = frame.y(tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{tick:g}", "end"))
    bottom = _HEIGHT - _BOTTOM
    parts.append(f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{bottom}" y2="{bottom}"/>')
    middle = (_TOP + bottom) / 2
    parts.append(f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">{escape(label)}</text>')
    return "".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    """Return some five round values between `low` and `high`."""
    raw = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 10) + 0.0 for number in range(first, last + 1)]


def _dot(x: float, y: float, colour: str, title: str, radius: int = 4) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"><title>{escape(title)}</title></circle>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(parts: Sequence[str], height: float, title: str) -> str:
    label = escape(title, quote=True)
    return f'<svg class="chart" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
