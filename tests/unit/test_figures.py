"""Figures in the house style: Chinese renders, pictures and matrices arrive as they are, a cell shows a figure once."""

import warnings
from io import BytesIO
from itertools import combinations

import matplotlib
import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from mmlab import figures
from mmlab.assets import FONT
from mmlab.datasets.emoji import EmojiData
from mmlab.notebooks import execute
from mmlab.paths import ROOT
from mmlab.testing import digest

CHINESE = "狗，蝙蝠（球拍）：你好——“晚上”！"


def glyphs() -> set[int]:
    return set(font_manager.get_font(str(FONT)).get_charmap())


def ink(made: Figure) -> np.ndarray:
    """The figure as grey values."""
    return np.asarray(Image.open(BytesIO(figures.png(made))).convert("L"), dtype=float)


def titled(title: str) -> Figure:
    made = figures.figure(width=4, height=2)
    made.axes[0].set_title(title)
    return made


@pytest.mark.parametrize("text", [CHINESE, f"{CHINESE} $z_t^\\top z_i$", "café naïve ≤ 10 % → α"])
def test_every_character_renders(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a missing glyph
        figures.png(titled(text))


def test_a_missing_character_would_be_noticed() -> None:
    with warnings.catch_warnings(), pytest.raises(UserWarning, match="missing from font"):
        warnings.simplefilter("error")
        figures.png(titled("\U0002a6a5"))


def test_different_characters_look_different() -> None:
    """A box for every unknown character would pass as ink; two characters must give two pictures."""
    assert not np.array_equal(ink(titled("狗")), ink(titled("猫")))


def test_the_font_covers_common_chinese_and_punctuation() -> None:
    cells = [bytes([row, cell]) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)]
    level_1 = {character for cell in cells for character in cell.decode("gb2312", "ignore")}
    assert len(level_1) == 3755
    assert {ord(c) for c in level_1 | set(CHINESE) | set("，。、；：？！“”‘’（）《》【】—…·")} <= glyphs()


def test_the_font_covers_the_data_the_lessons_and_the_package() -> None:
    things = EmojiData.load().things
    texts = [text for thing in things for text in (thing.name_zh, *thing.keywords_zh)]
    texts += [path.read_text("utf-8") for kind in ("mmlab/**/*.py", "notebooks/*.ipynb") for path in ROOT.glob(kind)]
    chinese = {ord(c) for text in texts for c in text if "\u4e00" <= c <= "\u9fff"}
    assert len(chinese) > 2000 and chinese <= glyphs()


def test_a_character_beyond_the_font_falls_back_on_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FALLBACKS", ("DejaVu Serif", "no such font"))
    figures._families.cache_clear()
    assert figures._families() == [figures.FAMILY, "DejaVu Serif", "DejaVu Sans"]
    figures._families.cache_clear()


def test_the_font_is_small_free_and_has_its_own_name() -> None:
    assert FONT.stat().st_size < 900_000
    assert font_manager.get_font(str(FONT)).family_name == figures.FAMILY
    assert "SIL OPEN FONT LICENSE Version 1.1" in FONT.with_name("OFL.txt").read_text(encoding="utf-8")


def test_modalities_have_colours_that_differ_in_grey_too() -> None:
    colours = [figures.COLOURS[name] for name in ("text", "image", "audio", "fused")]
    lightness = [float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114))) for colour in colours]
    assert len(set(colours)) == 4
    assert all(abs(a - b) > 0.02 for a, b in combinations(lightness, 2))


def test_a_grid_shows_each_picture_over_its_label() -> None:
    pictures = [Image.new("RGB", (8, 6), colour) for colour in ("red", "green", "blue")]
    made = figures.picture_grid(pictures, ["红", "绿", "蓝"], columns=2, title="三种颜色")
    assert [axes.get_title() for axes in made.axes] == ["红", "绿", "蓝"]
    for axes, picture in zip(made.axes, pictures, strict=True):
        assert np.array_equal(axes.images[0].get_array(), np.asarray(picture))


def test_a_grid_refuses_nothing_and_unequal_labels() -> None:
    with pytest.raises(ValueError, match="at least one picture"):
        figures.picture_grid([])
    with pytest.raises(ValueError, match="got 1 for 2 pictures"):
        figures.picture_grid([np.zeros((2, 2, 3))] * 2, ["one"])


def test_a_heatmap_shows_the_matrix_with_its_numbers_and_names() -> None:
    values = np.array([[0.91, 0.10, 0.2], [0.05, 0.87, 0.3]])
    made = figures.heatmap(values, rows=["狗", "猫"], columns=["dog", "cat", "bat"], title="t", xlabel="x", ylabel="y")
    axes = made.axes[0]
    assert np.array_equal(axes.images[0].get_array(), values)
    assert [text.get_text() for text in axes.texts] == ["0.91", "0.10", "0.20", "0.05", "0.87", "0.30"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["狗", "猫"]
    assert "colour scale, 'cosine similarity'" in digest(made)


def test_a_large_heatmap_leaves_its_numbers_out() -> None:
    assert not figures.heatmap(np.zeros((11, 10))).axes[0].texts


def test_a_spectrogram_has_time_in_seconds_and_low_sounds_below() -> None:
    mel = np.arange(12.0).reshape(3, 4)
    axes = figures.spectrogram(mel, hop=0.5, title="“狗”").axes[0]
    assert axes.images[0].get_extent() == [0, 2.0, 0, 3]
    assert axes.images[0].origin == "lower"
    assert axes.get_xlabel() == "time (s)"


def test_a_matrix_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(Exception, match="similarity"):
        figures.heatmap(np.zeros(3))


def test_a_lessons_own_plots_get_the_style() -> None:
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        figures.use_style()
        assert matplotlib.rcParams["font.family"][0] == figures.FAMILY


def test_a_notebook_cell_shows_a_figure_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    from nbformat.v4 import new_code_cell, new_notebook

    source = "import numpy as np\nfrom mmlab.figures import heatmap\nheatmap(np.eye(2))"
    [cell] = execute(new_notebook(cells=[new_code_cell(source)]), tmp_path_factory.mktemp("figures")).cells
    assert [sorted(output.data) for output in cell.outputs] == [["image/png", "text/plain"]]
