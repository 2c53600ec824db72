"""The figures of the measurements, and the table that shows them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

HEADINGS = ("", "measured", "data", "ours", "against", "figure", "target", "met")
INDENT = "  "


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        ours, against: the measured times in words, and what they are compared with.
        value: the number that the target applies to.
        target: None for a line without a target, shown for comparison.
        better: how the value has to compare with the target.
    """

    measured: str
    data: str
    ours: str
    against: str
    value: float
    unit: str
    target: float | None = None
    better: Literal["at least", "at most", "under"] = "at most"

    @property
    def met(self) -> bool:
        """Whether the target is met. True if the line has no target."""
        if self.target is None:
            return True
        if self.better == "at least":
            return self.value >= self.target
        return self.value < self.target if self.better == "under" else self.value <= self.target

    def cells(self) -> tuple[str, ...]:
        value = f"{number(self.value)} {self.unit}"
        if self.target is None:
            return (self.measured, self.data, self.ours, self.against, value, "", "")
        target = f"{self.better} {number(self.target)} {self.unit}"
        return (self.measured, self.data, self.ours, self.against, value, target, "yes" if self.met else "NO")


def table(figures: Sequence[tuple[str, Figure]]) -> str:
    """Format figures, each with the name of its measurement, in aligned columns."""
    rows = [HEADINGS, *((name, *figure.cells()) for name, figure in figures)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADINGS))]
    lines = [INDENT.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, INDENT.join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def number(value: float) -> str:
    """Format a number with three significant digits, or as a whole number from 100 on."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def seconds(value: float) -> str:
    """Format a duration: "0.31 s", "52 s", "8.2 ms"."""
    return f"{number(value)} s" if value >= 0.1 else f"{number(value * 1000)} ms"


def spread(values: Sequence[float]) -> str:
    """Format the median, with the best and the worst run in brackets."""
    return f"{seconds(statistics.median(values))} ({seconds(min(values))} to {seconds(max(values))})"


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least `percent` percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
