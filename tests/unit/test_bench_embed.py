"""`mmlab bench embed` times every modality, and leaves a file with the processor's name."""

import json
from pathlib import Path

import torch
from typer.testing import CliRunner

from mmlab.bench.embed import bench_embed
from mmlab.cli import app
from mmlab.datasets.emoji import EmojiData
from tests.unit import tiny_emoji


def test_every_modality_is_timed(tmp_path: Path) -> None:
    data, lines = EmojiData.load(tiny_emoji.write_data(tmp_path / "data")), []
    made = bench_embed(tiny_emoji.make_model(data), data, count=5, rounds=2, say=lines.append)
    assert [line.split()[0] for line in lines] == ["text", "image", "audio"] and made["count"] == 5
    assert all(
        0 < made[name]["low"] <= made[name]["value"] and made[name]["n"] == 2 for name in ("text", "image", "audio")
    )


def test_the_file_names_the_processor(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("mmlab.bench.embed.bench_embed", lambda *_, **__: {"text": 1})
    done = CliRunner().invoke(app, ["bench", "embed", "--out", str(tmp_path / "new" / "times.json")])
    assert done.exit_code == 0, done.output
    processor = torch.backends.cpu.get_cpu_capability()
    assert json.loads((tmp_path / "new" / "times.json").read_text()) == {"text": 1, "processor": processor}
