"""The tour asks what it says it asks, and its page holds everything, shows what is right, and overwrites nothing."""

import re
import wave
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from mmlab.apps.demo import (
    FAR,
    NEAR,
    SHOWN,
    THINGS,
    Part,
    draw_things,
    drawing,
    make_tour,
    under_noise,
    voice,
    wav,
    word,
)
from mmlab.apps.page import MARK, check_out, verdict, write_page
from mmlab.apps.search import Search
from mmlab.datasets.emoji import EmojiData, decode_audio
from mmlab.types import InputError
from tests.unit import tiny_emoji


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> EmojiData:
    return EmojiData.load(tiny_emoji.write_data(tmp_path_factory.mktemp("data") / "emoji"))


@pytest.fixture(scope="module")
def searches(data) -> tuple[Search, Search]:
    model = tiny_emoji.make_model(data)
    return Search(model, data), Search(model, data, targets=("image",))


@pytest.fixture(scope="module")
def tour(data, searches) -> list[Part]:
    return make_tour(*searches, draw_things(data))


@pytest.fixture
def page(tmp_path, tour, data) -> str:
    write_page(tmp_path / "page.html", tour, data)
    return (tmp_path / "page.html").read_text(encoding="utf-8")


class Elements(HTMLParser):
    """All start tags with their attributes, and whether every element that is opened is closed."""

    EMPTY = ("meta", "img", "br", "!doctype")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_tour_asks_in_every_modality_and_in_both_languages(tour, data):
    queries = [stop.query for part in tour for stop in part.stops]
    asked = {
        tuple(name for name in ("text", "image", "audio") if getattr(query, name) is not None) for query in queries
    }
    assert asked == {("text",), ("image",), ("audio",), ("image", "audio")}
    texts = [query.text for query in queries if query.text]
    assert texts[:2] == [data[THINGS[0]].name_en, data[THINGS[1]].name_zh]
    assert any("festival" in query.said for query in queries) and any("cmn" in query.said for query in queries)
    assert [stop.answer.modalities for stop in tour[3].stops] == [("image",), ("audio",), ("image", "audio")] * 2


def test_the_tour_uses_only_styles_and_voices_of_the_test_split(data):
    thing = data["🍕"]
    for style in (NEAR, FAR):
        row = next(r for r in data.image_table.to_pylist() if (r["thing"], r["style"]) == (thing.id, style))
        assert row["split"].startswith("test")
        kept = np.asarray(Image.open(BytesIO(row["image"]["bytes"])).convert("RGB"))
        np.testing.assert_array_equal(np.asarray(drawing(data, thing, style).image), kept)
    for language, engine in (("en", "festival"), ("zh", "espeak")):
        bytes_ = voice(data, thing, language).audio
        rows = [r for r in data.speech_table.to_pylist() if r["audio"]["bytes"] == bytes_]
        assert [(r["thing"], r["language"], r["engine"], r["split"]) for r in rows] == [
            (thing.id, language, engine, "test")
        ]


def test_every_answer_ranks_all_things_and_knows_the_right_place(tour, searches, data):
    for part in tour:
        for stop in part.stops:
            assert len(stop.answer.hits) == len(searches[1] if part is tour[0] else searches[0])
            if stop.truth is not None:
                assert stop.answer.hits[stop.place - 1].thing == stop.truth
    assert [stop.truth for stop in tour[4].stops] == [None] * 3


def test_a_model_that_cannot_judge_familiarity_makes_no_claim_about_strangers(data):
    model = tiny_emoji.make_model(data, judged=False)
    parts = make_tour(Search(model, data), Search(model, data, targets=("image",)), draw_things(data))
    assert len(parts) == 4


def test_noise_is_as_loud_as_the_voice(data):
    clean = voice(data, data["🌋"], "en")
    noisy = under_noise(clean)
    with wave.open(BytesIO(noisy.audio)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
    signal = decode_audio(clean.audio).astype(np.float64)
    scale = (samples @ signal) / (signal @ signal)  # what is left of the voice after the peak was brought to 1
    noise = samples - scale * signal
    assert 10 * np.log10((scale * signal) @ (scale * signal) / (noise @ noise)) == pytest.approx(0, abs=0.3)
    assert under_noise(clean).audio == noisy.audio


def test_wav_keeps_the_samples():
    samples = np.array([-1, -0.5, 0, 0.5, 1], dtype=np.float32)
    with wave.open(BytesIO(wav(samples))) as file:
        np.testing.assert_allclose(np.frombuffer(file.readframes(5), "<i2") / 32767, samples, atol=1e-4)


def test_things_are_drawn_by_seed(data):
    assert [thing.emoji for thing in draw_things(data)] == list(THINGS)
    drawn = [thing.id for thing in draw_things(data, seed=3)]
    assert drawn == [thing.id for thing in draw_things(data, seed=3)] != [t.id for t in draw_things(data, seed=4)]
    for seed in range(8):
        things = draw_things(data, seed=seed)
        assert len({thing.id for thing in things}) == len(THINGS)
        assert all(thing.split == "train" and thing.emoji != "🥕" for thing in things)  # 🥕 lacks a picture


def test_things_that_lack_something_are_named(data):
    with pytest.raises(InputError, match=r"no picture of 'carrot' in style 'twemoji'"):
        drawing(data, data["🥕"], NEAR)
    with pytest.raises(InputError, match="no test voice that says 'dragon'"):
        voice(data, replace(data["🥕"], id="none", name_en="dragon"), "en")


def test_the_page_is_whole_and_reachable_without_a_network_or_a_script(page):
    elements = Elements(page)
    assert not elements.open
    assert not elements.of("script") and not elements.of("link") and "@import" not in page
    sources = [one["src"] for tag in ("img", "audio") for one in elements.of(tag)]
    assert sources and all(source.startswith("data:") for source in sources)
    links = [one["href"] for one in elements.of("a")]
    assert sorted(re.findall(r"https?://[^\"]+", page)) == sorted(links)  # places to go to, nothing to fetch
    for source in sources:
        kind, content = source.removeprefix("data:").split(";base64,")
        start = b64decode(content)[:4]
        assert start == {"image/webp": b"RIFF", "audio/wav": b"RIFF", "audio/ogg": b"OggS"}[kind]


def test_the_page_can_be_read_aloud_and_in_the_dark(page):
    elements = Elements(page)
    assert elements.of("html") == [{"lang": "en"}]
    assert all(one.get("alt") for one in elements.of("img"))
    assert all("controls" in one and one.get("aria-label") for one in elements.of("audio"))
    assert any(one.get("lang") == "zh" for one in elements.of("span"))
    assert "prefers-color-scheme: dark" in page


def test_the_page_shows_each_answer_and_marks_the_right_one(page, tour):
    elements = Elements(page)
    stops = [stop for part in tour for stop in part.stops]
    lists = page.split("<ol")[1:]
    assert len(lists) == len(stops)
    for shown, stop in zip(lists, stops, strict=True):
        hits = shown.split("</ol>")[0]
        assert hits.count("<li") == SHOWN
        for hit in stop.answer.hits[:SHOWN]:
            assert hit.thing.name_en in hits and hit.thing.name_zh in hits and f"{hit.score:.2f}" in hits
        assert hits.count('class="hit right"') == int(stop.place is not None and stop.place <= SHOWN)
    assert len(elements.of("audio")) == sum(stop.query.audio is not None for stop in stops)


def test_names_are_shown_as_they_are(tmp_path, tour, data):
    stop = tour[0].stops[0]
    hits = [replace(hit, thing=replace(hit.thing, name_en="<b>$5 & [x]")) for hit in stop.answer.hits]
    odd = replace(stop, query=replace(word(data["🍕"], "en"), text="<i>"), answer=replace(stop.answer, hits=hits))
    write_page(tmp_path / "odd.html", [replace(tour[0], stops=[odd])], data)
    page = (tmp_path / "odd.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;$5 &amp; [x]" in page and "&lt;i&gt;" in page and "<b>" not in page and "<i>" not in page


def test_verdicts_say_where_the_right_answer_stands(tour):
    stop = tour[1].stops[0]
    hits = stop.answer.hits
    known = replace(stop.answer, familiarity={"image": 0.4})
    first = replace(stop, truth=hits[0].thing, answer=known)
    assert verdict(first).endswith("comes first.")
    assert verdict(replace(first, truth=hits[4].thing)).endswith("comes at place 5.")
    gone = replace(known, hits=hits[1:])
    assert verdict(replace(first, answer=gone)).endswith("is not among them.")
    odd = replace(known, familiarity={"image": 0.0})
    assert verdict(replace(first, answer=odd)).endswith("The image is unlike anything the model learned.")
    assert "do not believe" in verdict(replace(first, truth=None, answer=odd))
    assert "taken for something known" in verdict(replace(first, truth=None, answer=known))


def test_a_page_of_ours_is_replaced_and_nothing_else(tmp_path, tour, data):
    path = tmp_path / "page.html"
    write_page(path, tour[:1], data)
    write_page(path, tour, data)
    assert MARK in path.read_bytes()[:200] and len(Elements(path.read_text(encoding="utf-8")).of("section")) == len(
        tour
    )
    mine = tmp_path / "thesis.html"
    mine.write_text("<!DOCTYPE html><p>three years of work</p>")
    for place in (mine, tmp_path, tmp_path / "no" / "page.html"):
        with pytest.raises(InputError, match=re.escape(str(place))):
            check_out(place)
        with pytest.raises(InputError):
            write_page(place, tour, data)
    assert "three years" in mine.read_text()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["page.html", "thesis.html"]
