"""A conversation on disk comes back as it was, spares other people's files, and shows itself in a notebook."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmlab.apps.dialogue import Conversation
from mmlab.apps.media import open_image, open_sound
from mmlab.datasets.emoji import EmojiData, decode_audio
from mmlab.models.chat import MultimodalChat
from mmlab.types import InputError
from tests.unit import tiny_chat, tiny_emoji


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> MultimodalChat:
    data = EmojiData.load(tiny_emoji.write_data(tmp_path_factory.mktemp("data") / "emoji"))
    return tiny_chat.make_chat(tiny_emoji.make_model(data))


@pytest.fixture
def talk(model) -> Conversation:
    """Three turns with every kind of source: a PIL picture, the bytes of a file, an array."""
    image = Image.open(BytesIO(tiny_emoji.picture(1, style="noto"))).convert("RGB")
    made = Conversation(model, temperature=1.2, seed=4, trust=True)
    made.say("What do you see?", image=[image, tiny_emoji.picture(2, style="noto")])
    made.say("你听到了什么？", audio=tiny_emoji.tone(3, voice="ked"))
    made.say("Do they agree?", audio=decode_audio(tiny_emoji.tone(4, voice="ked")))
    return made


@pytest.mark.parametrize("name", ["kept", "kept.json"])
def test_a_conversation_comes_back_and_goes_on_as_it_would_have(talk, model, tmp_path, name):
    path = talk.save(tmp_path / name)
    assert path == (tmp_path / name if name.endswith(".json") else tmp_path / name / "chat.json")
    assert len(list(path.parent.iterdir())) == 5
    back = Conversation.load(tmp_path / name, model)
    assert back.transcript() == talk.transcript() and (back.temperature, back.seed, back.trust) == (1.2, 4, True)
    for ours, theirs in zip(talk.exchanges, back.exchanges, strict=True):
        assert replace(ours, media=()).__dict__ == replace(theirs, media=()).__dict__
        for a, b in zip(ours.media, theirs.media, strict=True):
            assert (a.modality, a.name, a.data, a.familiarity) == (b.modality, b.name, b.data, b.familiarity)
            np.testing.assert_array_equal(np.asarray(a.raw), np.asarray(b.raw))
    assert back.say("And now?") == talk.say("And now?")
    assert back._repr_html_() == talk._repr_html_()


def test_settings_can_be_changed_at_loading(talk, model, tmp_path):
    talk.save(tmp_path / "kept")
    assert Conversation.load(tmp_path / "kept", model, temperature=0.0).temperature == 0


def test_saving_again_replaces_a_conversation_and_nothing_else(talk, tmp_path):
    path = talk.save(tmp_path / "kept.json")
    talk.say("One more?")
    talk.save(path)
    assert len(json.loads(path.read_text(encoding="utf-8"))["exchanges"]) == 4
    (tmp_path / "thesis.json").write_text('{"years": 3}')
    (tmp_path / "file").write_text("mine")
    (tmp_path / "damaged.json").write_text('{"format": "mmlab-chat-1"}')
    (tmp_path / "new-01-1.png").write_text("mine")
    for name in ("thesis.json", "damaged.json", "file", "no/where/kept.json", "no/kept/chat", "new.json"):
        with pytest.raises(InputError, match="choose another"):
            talk.save(tmp_path / name)
    assert (tmp_path / "thesis.json").read_text() == '{"years": 3}' and (
        tmp_path / "new-01-1.png"
    ).read_text() == "mine"
    assert not (tmp_path / "new.json").exists()


def test_a_shorter_conversation_leaves_no_file_of_the_longer(talk, model, tmp_path):
    path = talk.save(tmp_path / "kept.json")
    for name in ("kept-07-1.ogg", "other.ogg"):
        (tmp_path / name).write_text("mine")
    damaged(path, lambda c: c["exchanges"][0]["media"].append({"file": "other.ogg"}))
    short = Conversation(model, trust=True)
    short.say("What do you hear?", audio=tiny_emoji.tone(5, voice="ked"))
    short.save(path)
    assert {one.name for one in tmp_path.iterdir()} == {"kept.json", "kept-01-1.ogg", "kept-07-1.ogg", "other.ogg"}


def damaged(path: Path, change) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c.update(format="other"), "another JSON file"),
        (lambda c: c.pop("exchanges"), "damaged"),
        (lambda c: c["exchanges"][0].pop("question"), "damaged"),
        (lambda c: c["exchanges"][0]["media"][0].update(file="../../secret.png"), "lie beside it"),
        (lambda c: c["exchanges"][0]["media"][0].update(file="gone.png"), "nothing at this path"),
        (lambda c: c["exchanges"][0]["media"][0].update(modality="smell"), "damaged"),
        (lambda c: c["settings"].update(colour="red"), "not known here: colour"),
        (lambda c: c["settings"].update(temperature="hot"), "no number"),
        (lambda c: c["settings"].update(top_p=7), "top_p"),
    ],
)
def test_a_damaged_conversation_is_a_sentence(talk, model, tmp_path, change, says):
    path = talk.save(tmp_path / "kept.json")
    damaged(path, change)
    with pytest.raises(InputError, match=says):
        Conversation.load(path, model)


def test_what_is_no_conversation_is_a_sentence(model, tmp_path):
    (tmp_path / "a.json").write_text("not json")
    (tmp_path / "b.json").write_text("[1, 2]")
    for name, says in (
        ("a.json", "this is no JSON"),
        ("b.json", "another JSON file"),
        ("c.json", "nothing at this path"),
    ):
        with pytest.raises(InputError, match=says):
            Conversation.load(tmp_path / name, model)
    with pytest.raises(InputError, match=r"chat\.json"):
        Conversation.load(tmp_path, model)


def test_the_transcript_is_two_lines_a_turn(talk):
    lines = talk.transcript().splitlines()
    assert lines[0] == "you:   [picture] [picture] What do you see?"
    assert sum(line.startswith("you:   ") for line in lines) == 3
    assert any(line.startswith("you:   [sound] 你听到了什么？") for line in lines)


def test_names_of_files_are_shown(tmp_path):
    (tmp_path / "cat.png").write_bytes(tiny_emoji.picture(1, style="noto"))
    (tmp_path / "cat.ogg").write_bytes(tiny_emoji.tone(1, voice="ked"))
    image, audio = open_image(tmp_path / "cat.png"), open_sound(str(tmp_path / "cat.ogg"))
    assert (image.name, image.suffix, audio.name, audio.suffix) == ("cat.png", ".webp", "cat.ogg", ".ogg")


class Elements(HTMLParser):
    """All start tags with their attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data) -> None:
        self.words += data


def test_the_page_shows_thumbnails_and_plays_sounds(talk):
    elements = Elements(talk._repr_html_())
    images = [found for tag, found in elements.tags if tag == "img"]
    sounds = [found for tag, found in elements.tags if tag == "audio"]
    assert len(images) == 2 and len(sounds) == 2
    assert all(one["src"].startswith("data:image/webp;base64,") and one["alt"] for one in images)
    assert [one["src"][:15] for one in sounds] == ["data:audio/ogg;", "data:audio/wav;"]
    assert all("controls" in one and one["aria-label"] for one in sounds)
    assert {tag for tag, _ in elements.tags} <= {"div", "img", "audio", "span", "p", "small", "i"}
    assert "What do you see?" in elements.words and "你听到了什么？" in elements.words
    assert talk.exchanges[0].notice or talk.exchanges[0].answer


def test_the_page_shows_words_as_they_are(model):
    talk = Conversation(model)
    talk.say("Is <b>this</b> a & b?")
    page = talk._repr_html_()
    assert "&lt;b&gt;this&lt;/b&gt; a &amp; b?" in page and "<b>" not in page
    assert "Nothing has been said" in Conversation(model)._repr_html_()


def test_a_large_picture_becomes_a_small_one_on_the_page():
    wide = open_image(Image.effect_noise((900, 600), 80).convert("RGB"))
    assert wide.raw.size == (900, 600) and len(wide.uri()) < 20_000
