"""The commands that train a model and judge it, one after the other, on the real data; the models learn next to nothing."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mmlab.cli import app
from mmlab.evaluation.report import HEADLINE
from mmlab.models.chat import MultimodalChat
from mmlab.models.checkpoint import WEIGHTS, sha256
from mmlab.models.joint import JointEmbedder


def run(*words: object) -> Result:
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def judged(*words: object, out: Path) -> dict:
    """The one JSON object that a command prints, which the file also holds."""
    figures = json.loads(run(*words, "--json", "--out", out).stdout)
    assert figures == json.loads(out.read_text("utf-8"))
    return figures


@pytest.mark.audit
def test_both_models_are_trained_and_judged_by_their_commands(tmp_path: Path) -> None:
    joint, chat = tmp_path / "joint", tmp_path / "chat"
    sizes = ("--steps", 3, "--batch", 8, "--no-progress")
    said = run("train", "align", "--run", tmp_path / "first", "--out", joint, "--things", 16, *sizes).stdout
    assert "16 things, 3 steps of" in said and str(joint) in said
    assert JointEmbedder.from_pretrained(joint).familiarity.keys() == {"text", "image", "audio"}

    figures = judged("eval", "joint", "--model", joint, "--no-baselines", out=tmp_path / "joint.json")
    assert figures.keys() >= {*HEADLINE} and figures["made_from"]["checkpoint_sha256"] == sha256(joint / WEIGHTS)
    assert figures["speech_to_text_espeak"]["r1"] < 5  # three steps teach nothing

    said = run(
        "train", "chat", "--run", tmp_path / "second", "--out", chat, "--joint", joint, "--comparing", 2, *sizes
    ).stdout
    assert str(chat) in said and MultimodalChat.from_pretrained(chat, joint=JointEmbedder.from_pretrained(joint))
    figures = judged("eval", "chat", "--model", chat, "--joint", joint, "--quick", out=tmp_path / "chat.json")
    assert figures["made_from"]["checkpoint_sha256"] == sha256(chat / WEIGHTS)
