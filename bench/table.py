"""The figures and the one table they end in."""

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
        letter: which measurement it belongs to.
        ours, against: what was measured, in words; `against` is what it is compared with or read by.
        value: the figure that the target is about.
        target: None where the line has no target, and is there to read the others by.
        better: whether the value is to be at least, or at most, the target.
    """

    letter: str
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
        """Whether the target is met; True where there is none."""
        if self.target is None:
            return True
        if self.better == "at least":
            return self.value >= self.target
        return self.value < self.target if self.better == "under" else self.value <= self.target

    def cells(self) -> tuple[str, ...]:
        value = f"{number(self.value)} {self.unit}"
        if self.target is None:
            return (self.letter, self.measured, self.data, self.ours, self.against, value, "", "")
        target = f"{self.better} {number(self.target)} {self.unit}"
        verdict = "yes" if self.met else "NO"
        return (self.letter, self.measured, self.data, self.ours, self.against, value, target, verdict)


def table(figures: Sequence[Figure]) -> str:
    """All figures in aligned columns."""
    rows = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADINGS))]
    lines = [INDENT.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, INDENT.join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def number(value: float) -> str:
    """Three digits that count, and no more."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def seconds(value: float) -> str:
    """A time as people read it: "0.31 s", "52 s", "8.2 ms"."""
    return f"{number(value)} s" if value >= 0.1 else f"{number(value * 1000)} ms"


def spread(values: Sequence[float]) -> str:
    """The median, and from what to what the runs went."""
    return f"{seconds(statistics.median(values))} ({seconds(min(values))} to {seconds(max(values))})"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
