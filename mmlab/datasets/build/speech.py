"""Names spoken by synthetic voices: espeak-ng, flite and festival, each run as the program that Debian installs."""

import math
import multiprocessing
import re
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import Float
from scipy.signal import resample_poly

from mmlab.datasets.build.opus import SAMPLE_RATE, encode_opus
from mmlab.datasets.build.voices import Voice

PEAK = 0.7
MAX_SECONDS = 3.0  # what the models take
WINDOW = SAMPLE_RATE // 50  # 20 ms
SILENCE = 0.01  # 40 dB below the loudest window
FASTER = {"espeak": ("-s", "220"), "flite": ("--setf", "duration_stretch=0.75")}  # festival: such a clip is left out
SPOKEN = {
    "en": {
        "keycap: #": "keycap, number sign", "keycap: *": "keycap, asterisk", "1st": "first", "2nd": "second",
        "3rd": "third", "’": "'", "ñ": "ny", "“": "", "”": "", "!": "", " (blood type)": ", blood type", "Mx ": "mix ",
        "Mrs.": "missus", ":": ",", "dvd": "D V D", "dna": "D N A", "CL ": "C L ", "NG ": "N G ", "ID ": "I D ",
        "VS ": "versus ", "AB ": "A B ", "ATM": "A T M", "SOS": "S O S", "OK": "okay", "ZZZ": "z z z", "COOL": "cool",
        "FREE": "free", "NEW": "new", "BACK": "back", "END": "end", "ON ": "on ", "SOON": "soon", "TOP": "top",
        "UP ": "up ", "gesturing NO": "gesturing no",
    },
    "zh": {
        "按键: #": "按键，井号", "按键: *": "按键，星号", ": ": "，", "“": "", "”": "", "! ": "，", "DNA": "D N A",
        "AB": "A B ", "SOS": "S O S ", "NG": "N G ", "SOON": "soon", "ON，": "on，",
    },
}  # fmt: skip


def spoken_form(name: str, *, language: str) -> str:
    """A name as the engines are given it: no quotation marks, no signs that one engine skips and another spells out."""
    for written, said in SPOKEN[language].items():
        name = name.replace(written, said)
    return re.sub(r"\s+", " ", name).strip()


def trim(samples: Float[np.ndarray, "samples"]) -> Float[np.ndarray, "trimmed"]:
    """Cut the silence at both ends, but for 20 ms, and bring the peak to 0.7."""
    energy = np.convolve(samples**2, np.ones(WINDOW) / WINDOW, mode="same")
    loud = np.flatnonzero(energy > SILENCE**2 * energy.max())
    if len(loud) == 0:
        raise ValueError("A spoken name was expected and silence came: the speech engine gave no sound.")
    samples = samples[max(0, loud[0] - WINDOW) : loud[-1] + WINDOW]
    return (samples * (PEAK / np.abs(samples).max())).astype(np.float32)


def read_clip(path: Path) -> Float[np.ndarray, "samples"]:
    """A sound file of an engine as trimmed mono samples at 16 kHz."""
    samples, rate = soundfile.read(path, always_2d=True)
    common = math.gcd(rate, SAMPLE_RATE)
    return trim(resample_poly(samples.mean(axis=1), SAMPLE_RATE // common, rate // common))


def command(voice: Voice, text: str, path: Path, *, faster: bool) -> list[str]:
    """The command line that makes espeak-ng or flite say a text into a file."""
    options = [*voice.options, *(FASTER[voice.engine] if faster else ())]
    if voice.engine == "espeak":
        return ["espeak-ng", *options, "-w", str(path), "--", text]
    return ["flite", *options, "-t", text, "-o", str(path)]


def speak_one(voice: Voice, text: str) -> Float[np.ndarray, "samples"] | None:
    """One clip by espeak-ng or flite; a long one is said again, faster; None where it stays too long."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.wav"
        for faster in (False, True):
            subprocess.run(command(voice, text, path, faster=faster), check=True, capture_output=True)
            samples = read_clip(path)
            if len(samples) <= MAX_SECONDS * SAMPLE_RATE:
                return samples
    return None


def speak_festival(voice: Voice, texts: list[str]) -> list[Float[np.ndarray, "samples"] | None]:
    """All clips of one festival voice in one process, through a Scheme script; None for a clip that is too long."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{index}.wav" for index in range(len(texts))]
        lines = [f"({voice.options[0]})"]
        for path, text in zip(paths, texts, strict=True):
            quoted = text.replace("\\", "").replace('"', "")
            lines.append(f'(utt.save.wave (utt.synth (eval (list \'Utterance \'Text "{quoted}"))) "{path}" \'riff)')
        script = Path(folder) / "names.scm"
        script.write_text("\n".join(lines) + "\n", "ascii")
        subprocess.run(["festival", "-b", str(script)], check=True, capture_output=True)
        clips = [read_clip(path) for path in paths]
    return [clip if len(clip) <= MAX_SECONDS * SAMPLE_RATE else None for clip in clips]


def speak_all(voice: Voice, texts: list[str]) -> list[bytes | None]:
    """What one voice says, as Ogg Opus; None where a text cannot be said within the limit."""
    if voice.engine == "festival":
        clips = speak_festival(voice, texts)
    else:
        clips = [speak_one(voice, text) for text in texts]
    return [None if clip is None else encode_opus(clip) for clip in clips]


def speech_rows(
    things: list[dict], jobs: list[tuple[str, Voice, str]], *, workers: int
) -> tuple[list[dict], list[str]]:
    """The rows of speech.parquet in the order of the plan, and a line for each clip that was too long to keep."""
    named = {thing["id"]: thing for thing in things}
    by_voice = defaultdict(list)
    for index, (thing, voice, _) in enumerate(jobs):
        by_voice[voice].append((index, spoken_form(named[thing][f"name_{voice.language}"], language=voice.language)))
    tasks = [(voice, part[at : at + 400]) for voice, part in by_voice.items() for at in range(0, len(part), 400)]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        spoken = pool.starmap(speak_all, [(voice, [text for _, text in part]) for voice, part in tasks], chunksize=1)
    rows: list[dict | None] = [None] * len(jobs)
    dropped = []
    for (voice, part), clips in zip(tasks, spoken, strict=True):
        for (index, text), clip in zip(part, clips, strict=True):
            thing, _, split = jobs[index]
            if clip is None:
                dropped.append(f"{voice.engine} {voice.name}: {text}")
                continue
            rows[index] = {
                "thing": thing,
                "language": voice.language,
                "engine": voice.engine,
                "voice": voice.name,
                "text": text,
                "split": split,
                "audio": {"bytes": clip, "path": f"{thing}-{voice.name}.ogg"},
            }
    return [row for row in rows if row is not None], sorted(dropped)
