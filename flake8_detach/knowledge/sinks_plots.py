"""Sinks that draw: matplotlib, seaborn, plotly. They convert what they draw to arrays, and show what they write.

Here: which arguments are data (converted: DET202) and which are text (shown: DET101). Not here: trackers with a `plot` of their own.
"""

from __future__ import annotations

from typing import Final

from .sink import CONVERTS, PRINTS, Group, Role, at, every

ARRAY: Final = Role.ARRAY
_MATPLOTLIB: Final = "measured, matplotlib 3.11"
_AXES: Final = "matplotlib.axes.Axes matplotlib.pyplot"

TABLE: Final = (
    Group(
        _AXES,
        every(
            "plot scatter bar barh hist hist2d hexbin imshow matshow contour contourf pcolor pcolormesh axhline axvline axhspan axvspan hlines"
            " vlines fill fill_between fill_betweenx errorbar boxplot violinplot pie step stem semilogx semilogy loglog quiver streamplot"
            " stackplot stairs eventplot specgram spy"
        ),
        ARRAY,
        CONVERTS,
        _MATPLOTLIB,
        inner=ARRAY,
    ),
    Group("matplotlib.axes.Axes", every("set_xlim set_ylim set_xticks set_yticks"), ARRAY, CONVERTS, _MATPLOTLIB, inner=ARRAY),
    Group("matplotlib.pyplot", every("xlim ylim"), ARRAY, CONVERTS, _MATPLOTLIB, inner=ARRAY),
    Group("matplotlib.pyplot matplotlib.image", at((1, "arr"), "imsave"), ARRAY, CONVERTS, _MATPLOTLIB),
    Group("matplotlib.lines.Line2D", every("set_data set_xdata set_ydata"), ARRAY, CONVERTS, _MATPLOTLIB, inner=ARRAY),
    Group("matplotlib.image.AxesImage", at((0, "A"), "set_data"), ARRAY, CONVERTS, _MATPLOTLIB),
    Group("matplotlib.axes.Axes", at((0, "label"), "set_title"), Role.LOG, PRINTS, _MATPLOTLIB, text=True),
    Group("matplotlib.pyplot", at((0, "label"), "title"), Role.LOG, PRINTS, _MATPLOTLIB, text=True),
    Group(_AXES, at((2, "s"), "text"), Role.LOG, PRINTS, _MATPLOTLIB, text=True),
    Group(
        "seaborn",
        every(
            "lineplot scatterplot histplot kdeplot heatmap barplot boxplot violinplot displot distplot relplot catplot stripplot swarmplot"
            " regplot lmplot jointplot pairplot clustermap ecdfplot pointplot countplot"
        ),
        ARRAY,
        CONVERTS,
        "measured, seaborn 0.13",
        inner=ARRAY,
    ),
    Group(
        "plotly.graph_objects",
        every("Scatter Scatter3d Scattergl Bar Histogram Heatmap Surface Contour Box Violin"),
        ARRAY,
        CONVERTS,
        "measured, plotly 7.1",
        inner=ARRAY,
    ),
    Group("plotly.express", every("line scatter imshow bar histogram"), ARRAY, CONVERTS, "measured, plotly 7.1"),
)
