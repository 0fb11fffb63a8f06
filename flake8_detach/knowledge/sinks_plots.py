"""Sinks that draw: matplotlib, seaborn, plotly. They convert what they draw to arrays, and show what they write.

Here: which arguments are data (converted: DET202) and which are text (shown: DET101). Not here: trackers with a `plot` of their own.
"""

from __future__ import annotations

from typing import Final

from .sink import CONVERTS, PRINTS, WARNS, Group, Role, at, every

ARRAY: Final = Role.ARRAY
_MATPLOTLIB: Final = "measured, matplotlib 3.11"
_PLOTLY: Final = "measured, plotly 7.1"
_AXES: Final = "matplotlib.axes.Axes matplotlib.pyplot"
_LATE: Final = "converts it to a NumPy array when the figure is drawn, which raises for a tensor that requires grad"
# Keywords that hold data; the others (label, color, vmin, extent ...) take a live tensor as it is.
_DATA: Final = (
    *range(8),
    *"x y z c s X Y Z C U V height width bottom left right top x1 x2 y1 y2 xerr yerr xmin xmax ymin ymax data dataset weights".split(),
    *"positions values sizes".split(),
)

TABLE: Final = (
    Group(
        _AXES,
        at(
            _DATA,
            "acorr angle_spectrum arrow axhline axhspan axvline axvspan bar barh boxplot broken_barh contour contourf csd ecdf errorbar"
            " eventplot fill fill_between fill_betweenx hexbin hist hist2d hlines imshow loglog magnitude_spectrum matshow pcolor"
            " pcolormesh phase_spectrum pie plot psd quiver scatter semilogx semilogy specgram spy stackplot stairs stem step streamplot"
            " tricontourf tripcolor triplot violinplot vlines xcorr",
        ),
        ARRAY,
        CONVERTS,
        _MATPLOTLIB,
        inner=ARRAY,
    ),
    Group(
        "mpl_toolkits.mplot3d.Axes3D",
        at(_DATA, "bar3d contour3D plot_surface plot_trisurf plot_wireframe set_zlim"),
        ARRAY,
        CONVERTS,
        _MATPLOTLIB,
        inner=ARRAY,
    ),
    Group(
        "matplotlib.axes.Axes",
        at((0, 1, "left", "right", "bottom", "top"), "set_xbound set_xlim set_ybound set_ylim"),
        ARRAY,
        CONVERTS,
        _MATPLOTLIB,
        inner=ARRAY,
    ),
    Group("matplotlib.axes.Axes", at((0, "ticks"), "set_xticks set_yticks"), ARRAY, CONVERTS, _MATPLOTLIB, inner=ARRAY),
    Group("matplotlib.axes.Axes", at((0, "aspect"), "set_aspect"), Role.NUMBER, WARNS, _MATPLOTLIB),
    Group(_AXES, at((0, "arg"), "axis"), ARRAY, CONVERTS, _MATPLOTLIB, inner=ARRAY),
    Group("matplotlib.pyplot", at((0, 1, "left", "right", "bottom", "top"), "xlim ylim"), ARRAY, CONVERTS, _MATPLOTLIB, inner=ARRAY),
    Group("matplotlib.pyplot", at((0, "ticks"), "xticks yticks"), ARRAY, CONVERTS, _MATPLOTLIB, inner=ARRAY),
    Group("matplotlib.pyplot", at((*range(4),), "polar"), ARRAY, CONVERTS, _MATPLOTLIB, inner=ARRAY),
    Group("matplotlib.pyplot matplotlib.figure.Figure", at((0, "X"), "figimage"), ARRAY, CONVERTS, _MATPLOTLIB),
    Group("matplotlib.pyplot matplotlib.image", at((1, "arr"), "imsave"), ARRAY, CONVERTS, _MATPLOTLIB),
    Group("matplotlib.lines.Line2D", at((0, 1), "set_data set_xdata set_ydata"), ARRAY, _LATE, _MATPLOTLIB, inner=ARRAY),
    Group("matplotlib.image.AxesImage", at((0, "A"), "set_array set_data"), ARRAY, CONVERTS, _MATPLOTLIB),
    Group("matplotlib.collections.PathCollection", at((0, "A", "offsets"), "set_array set_offsets"), ARRAY, CONVERTS, _MATPLOTLIB),
    Group("matplotlib.cm", every("jet viridis"), ARRAY, CONVERTS, _MATPLOTLIB, inner=ARRAY),
    Group("matplotlib.axes.Axes", at((0, "label"), "set_title"), Role.LOG, PRINTS, _MATPLOTLIB, text=True),
    Group("matplotlib.axes.Axes", at((0, "xlabel", "ylabel"), "set_xlabel set_ylabel"), Role.LOG, PRINTS, _MATPLOTLIB, text=True),
    Group("matplotlib.pyplot", at((0, "label"), "title"), Role.LOG, PRINTS, _MATPLOTLIB, text=True),
    Group("matplotlib.pyplot", at((0, "xlabel", "ylabel"), "xlabel ylabel"), Role.LOG, PRINTS, _MATPLOTLIB, text=True),
    Group("matplotlib.pyplot matplotlib.figure.Figure", at((0, "t"), "suptitle"), Role.LOG, PRINTS, _MATPLOTLIB, text=True),
    Group("matplotlib.pyplot", at((2, "s"), "figtext"), Role.LOG, PRINTS, _MATPLOTLIB, text=True),
    Group(_AXES, at((2, "s"), "text"), Role.LOG, PRINTS, _MATPLOTLIB, text=True),
    Group(_AXES, at((0, "text"), "annotate"), Role.LOG, PRINTS, _MATPLOTLIB, text=True),
    Group(
        "seaborn",
        at(
            (0, 1, 2, "data", "x", "y", "a"),
            "barplot boxenplot boxplot catplot clustermap countplot displot distplot ecdfplot heatmap histplot jointplot kdeplot lineplot"
            " pointplot relplot rugplot scatterplot stripplot swarmplot violinplot",
        ),
        ARRAY,
        CONVERTS,
        "measured, seaborn 0.13",
        inner=ARRAY,
    ),
    Group(
        "seaborn",
        at((0, 1, 2, "data", "x", "y"), "regplot residplot"),
        Role.TYPE_ERROR,
        "mistakes it for a 0-dim array",
        "measured, seaborn 0.13",
    ),
    Group(
        "plotly.graph_objects",
        every(
            "Bar Box Cone Contour Heatmap Histogram Histogram2d Image Isosurface Mesh3d Pie Scatter Scatter3d Scattergl Scatterpolar"
            " Surface Violin Volume"
        ),
        ARRAY,
        CONVERTS,
        _PLOTLY,
        inner=ARRAY,
    ),
    Group(
        "plotly.graph_objects.Figure",
        every("add_bar add_box add_contour add_heatmap add_histogram add_pie add_scatter add_scatter3d add_surface add_violin"),
        ARRAY,
        CONVERTS,
        _PLOTLY,
        inner=ARRAY,
    ),
    Group(
        "plotly.express",
        every("area bar box density_heatmap histogram imshow line pie scatter scatter_3d violin"),
        ARRAY,
        CONVERTS,
        _PLOTLY,
    ),
)
