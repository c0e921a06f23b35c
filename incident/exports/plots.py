"""Plots as SVG pictures, drawn by Pygal: they hold no script, ask nobody outside, and stand beside the table they show.

Colours are those of `static/tokens.css`; a picture cannot read the page's, so that each is drawn light and dark.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING, Any, Final
from unicodedata import east_asian_width

from incident import parts

if TYPE_CHECKING:
    import pygal
    from lxml import etree
    from pygal import style as styles
else:
    pygal, styles = parts.later("pygal"), parts.later("pygal.style")
    etree = parts.later("lxml.etree")

FACE: Final = "Noto Sans SC, system-ui, Segoe UI, Noto Sans, sans-serif"

MOST_LABELS: Final = 12
FEW: Final = 6
"""Up to so many, every whole number stands at the side: things that are counted have no halves."""
MOST_BESIDE: Final = 3
"""So many names of series stand in one line below a wide picture; a longer one would run into the next."""
ROOM_FOR_A_FIGURE: Final = 0.05
"""A part of a bar shorter than this share of the longest has no room for its figure, on a wide screen."""
LONGEST_NAME: Final = 36
"""So many letters of a name stand beside lying bars of a wide picture, fewer of a narrow one; the table has it whole."""
WIDE: Final = 760
NARROW: Final = 380
"""Widths of a picture on a wide and on a small screen; letters are of one size on both."""
SHORTEST: Final = 60.0
HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
SCALE: Final = (
    SHORTEST, 10 * SHORTEST, HOUR, 6 * HOUR, DAY, 3 * DAY, 10 * DAY, 30 * DAY, 90 * DAY, 365 * DAY,
)  # fmt: skip
BARS: Final = {True: 34, False: 29}
PAIRS: Final = {True: 52, False: 42}
"""Pixels for a lying bar and for two beside each other, of a wide picture and of any other."""


@dataclass(frozen=True)
class Look:
    """Inks of one look; `tones` colour series by what they mean, `on_tone` is that of figures in them, but for `inks`."""

    ink: str
    quiet: str
    line: str
    on_tone: str
    tones: Mapping[str, str]
    inks: Mapping[str, str]


LOOKS: Final[Mapping[str, Look]] = {
    "light": Look(
        "#17212e",
        "#4a5868",
        "#dfe4ea",
        "#ffffff",
        {
            "accent": "#2349c8",
            "met": "#176a40",
            "late": "#b3261e",
            "soon": "#c97a17",
            "open": "#6a3fb5",
            "idle": "#8694a3",
        },
        {"soon": "#17212e", "idle": "#17212e"},
    ),
    "dark": Look(
        "#e8edf3",
        "#b4c0cd",
        "#2c3847",
        "#10171f",
        {
            "accent": "#8aa6ff",
            "met": "#7fd3a3",
            "late": "#ff8a80",
            "soon": "#f3bf6b",
            "open": "#c9adff",
            "idle": "#97a7b8",
        },
        {},
    ),
}


@dataclass(frozen=True)
class Series:
    """One row of bars: its name, its tone, and a value for each label (None leaves a gap)."""

    name: str
    tone: str
    values: Sequence[Any]


def columns(labels: Sequence[str], series: Sequence[Series], *, look: str, width: int = WIDE) -> bytes:
    """Upright bars side by side, such as counts by month; of many, only some are labelled and none has its figure."""
    every = -(-len(labels) // (MOST_LABELS * width // WIDE))
    some = {"x_labels_major_every": every, "show_minor_x_labels": False, "print_values": False} if every > 1 else {}
    most = max((value for one in series for value in one.values), default=0)
    return _drawn(pygal.Bar, labels, series, look, width=width, height=260, **some, **_few(most))


def stacks(labels: Sequence[str], series: Sequence[Series], *, look: str, width: int = WIDE) -> bytes:
    """Lying bars whose parts add up, such as kept and missed by law. The first label stands on top."""
    sums = [sum(parts) for parts in zip(*([value or 0 for value in one.values] for one in series), strict=True)]
    room = max(sums, default=0) * ROOM_FOR_A_FIGURE * WIDE / width
    backwards = [Series(one.name, one.tone, [_told(value, room) for value in one.values][::-1]) for one in series]
    height = 90 + BARS[width == WIDE] * max(1, len(labels))
    few = _few(max(sums, default=0))
    names = [_fitted(label, LONGEST_NAME * width // WIDE) for label in labels]
    return _drawn(pygal.HorizontalStackedBar, names[::-1], backwards, look, width=width, height=height, **few)


def _fitted(label: str, most: int) -> str:
    """A name of at most so many letters: of a longer one its middle is left out, for its end tells it from others."""
    return label if len(label) <= most else f"{label[: most // 2]}…{label[-(most - most // 2 - 1) :]}"


def _few(most: int) -> dict[str, Any]:
    """A step for each where there are only a few of what is counted: half of one is nothing."""
    return {"y_labels": [{"value": step, "label": str(step)} for step in range(most + 1)]} if 0 < most <= FEW else {}


def _told(value: float | None, room: float) -> Any:
    """A part of a bar, with its figure only where that has room in it."""
    return {"value": value, "formatter": _whole if (value or 0) >= room else lambda _: ""}


def lengths(
    labels: Sequence[str], series: Sequence[Series], *, look: str, shown: Callable[[float], str], width: int = WIDE
) -> bytes:
    """Lying bars of seconds side by side, on a scale from a minute to years that shows short and long alike.

    `shown` says a length in words.
    """
    backwards = [Series(one.name, one.tone, [_place(value) for value in one.values][::-1]) for one in series]
    end = max((place for one in backwards for place in one.values if place), default=_place(DAY) or 0)
    more = {
        "range": (0, end * 1.04),
        "y_labels": [
            {"value": _place(value), "label": shown(value)}
            for value in SCALE[:: 1 if width == WIDE else 2]
            if (_place(value) or 0) <= end
        ],
        "formatter": lambda place: "" if place is None else shown(SHORTEST * 10**place),
    }
    height = 100 + PAIRS[width == WIDE] * max(1, len(labels))
    return _drawn(pygal.HorizontalBar, list(labels)[::-1], backwards, look, width=width, height=height, **more)


def _place(seconds: float | None) -> float | None:
    """Where a length stands on the scale; what is shorter than it begins stands just behind its beginning."""
    return None if seconds is None else max(log10(seconds / SHORTEST), 0.02) if seconds > 0 else 0.02


def _drawn(
    kind: Any, labels: Sequence[str], series: Sequence[Series], look: str, *, width: int, height: int, **more: Any
) -> bytes:
    beside = max(1, min(len(series), MOST_BESIDE)) if width == WIDE else 1
    lines = -(-len(series) // beside)
    chart = kind(
        style=_style(LOOKS[look], [one.tone for one in series]),
        width=width,
        height=height + 24 * (lines - 1),
        js=(),
        no_prefix=True,
        disable_xml_declaration=True,
        explicit_size=False,
        show_legend=len(series) > 1,
        legend_at_bottom=True,
        legend_at_bottom_columns=beside,
        legend_box_size=10,
        margin=8,
        margin_bottom=8 + 20 * (lines > 1 and len(series) % beside > 0),  # Pygal leaves no room for a line half full
        margin_left=8 + (_broader(labels) if kind is not pygal.Bar else 0),
        spacing=8,
        min_scale=2,
        max_scale=6,
        print_zeroes=False,
        y_labels_major_every=1,  # all alike: which of our own steps are powers of ten means nothing
        truncate_label=-1,
        truncate_legend=-1,
        value_formatter=_whole,
        **{"formatter": _whole, "print_values": True, "print_values_position": "center", **more},
    )
    chart.x_labels = list(labels)
    if "y_labels" in more:
        chart.y_labels = more["y_labels"]
    for one in series:
        chart.add(one.name, list(one.values))
    tree = chart.render_tree()
    for settings in tree.findall(".//{*}script"):  # Pygal's own, for a program that is not loaded
        settings.getparent().remove(settings)
    return bytes(etree.tostring(tree))


def _broader(labels: Sequence[str]) -> int:
    """Pixels by which the longest label is wider than Pygal takes it to be: it counts letters, and Chinese ones are broad."""
    return max((round(6 * sum(east_asian_width(letter) in "WF" for letter in label)) for label in labels), default=0)


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _style(look: Look, tones: Sequence[str]) -> "styles.Style":
    return styles.Style(
        background="transparent",
        plot_background="transparent",
        foreground=look.quiet,
        foreground_strong=look.ink,
        foreground_subtle=look.line,
        guide_stroke_color=look.line,
        major_guide_stroke_color=look.line,
        guide_stroke_dasharray="0",
        major_guide_stroke_dasharray="0",
        opacity="1",
        opacity_hover="1",
        transition="0s",
        colors=tuple(look.tones[tone] for tone in tones),
        value_colors=tuple(look.inks.get(tone, look.on_tone) for tone in tones),
        font_family=FACE,
        label_font_size=13,
        major_label_font_size=13,
        legend_font_size=13,
        value_font_size=12,
    )
