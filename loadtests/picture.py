"""A plot of lines over time as SVG."""

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM = 720, 240, 68, 28
COLOURS = ("#1f6feb", "#bf3989", "#1a7f37")


def plot(series: Mapping[str, Sequence[tuple[float, float]]], unit: str) -> str:
    """`series` by name: (seconds, value), drawn on one scale from zero."""
    longest = max((at for points in series.values() for at, _ in points), default=1) or 1
    highest = max((value for points in series.values() for _, value in points), default=1) or 1
    lines = [_axis(longest, highest, unit)]
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{_x(at, longest):.1f},{_y(value, highest):.1f}" for at, value in points)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        lines.append(f'<text x="{LEFT + 8 + 150 * number}" y="14" fill="{colour}">{escape(name)}</text>')
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12"'
    title = escape(", ".join(series))
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}><title>{title}</title>{"".join(lines)}</svg>\n'


def _axis(longest: float, highest: float, unit: str) -> str:
    heights = [(highest * part, f"{highest * part:.3g} {unit}") for part in (0, 0.5, 1)]
    instants = [(longest * part, f"{longest * part:.0f} s") for part in (0, 0.5, 1)]
    texts = [
        *(
            f'<text x="{LEFT - 6}" y="{_y(at, highest) + 4:.1f}" text-anchor="end">{text}</text>'
            for at, text in heights
        ),
        *(
            f'<text x="{_x(at, longest):.1f}" y="{HEIGHT - 8}" text-anchor="middle">{text}</text>'
            for at, text in instants
        ),
    ]
    ground = f'<path d="M{LEFT},20V{HEIGHT - BOTTOM}H{WIDTH - 20}" fill="none" stroke="#888"/>'
    return f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>{ground}<g fill="#555">{"".join(texts)}</g>'


def _x(at: float, longest: float) -> float:
    return LEFT + (WIDTH - LEFT - 20) * at / longest


def _y(value: float, highest: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 24) * value / highest
