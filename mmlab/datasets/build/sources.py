"""Where the raw material comes from: pinned npm packages, one Debian font, three Debian speech engines."""

import json
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

from mmlab.types import InputError

PACKAGES = {
    "@twemoji/svg": "15.0.0",
    "@lobehub/fluent-emoji-3d": "1.1.0",
    "@lobehub/fluent-emoji-flat": "1.1.0",
    "emojione": "2.2.7",
    "openmoji": "17.0.0",
    "cldr-annotations-full": "48.2.0",
    "cldr-annotations-derived-full": "48.2.0",
}
PROGRAMS = {"espeak-ng": "espeak-ng", "flite": "flite", "festival": "festival"}  # program -> Debian package
FESTIVAL_VOICES = {"ked_diphone": "festvox-kdlpc16k", "cmu_us_slt_arctic_hts": "festvox-us-slt-hts"}
FONT_NAME = "NotoColorEmoji.ttf"
FONT_FOLDERS = (
    "/usr/share/fonts/truetype/noto",
    "/usr/share/fonts/noto",
    "/usr/share/fonts/google-noto-color-emoji-fonts",
    "/usr/local/share/fonts",
)


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def check_programs() -> None:
    """Raise, in one sentence, when a program or a voice that the sounds need is not installed."""
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            raise InputError(f"{program} was expected and not found; on Debian run `apt install {package}`.")
    voices = _run(["festival", "-b", "(print (voice.list))"])
    for voice, package in FESTIVAL_VOICES.items():
        if voice not in voices:
            raise InputError(f"The voice {voice} was expected and not found; on Debian run `apt install {package}`.")


def find_font() -> Path:
    """Noto Color Emoji, in the usual folders or where fontconfig knows it."""
    for folder in FONT_FOLDERS:
        if (path := Path(folder) / FONT_NAME).is_file():
            return path
    if shutil.which("fc-match") is not None:
        path = Path(_run(["fc-match", "--format=%{file}", "Noto Color Emoji"]))
        if path.name == FONT_NAME:
            return path
    raise InputError(f"{FONT_NAME} was expected and not found; on Debian run `apt install fonts-noto-color-emoji`.")


def install_packages(folder: Path) -> Path:
    """Install the pinned npm packages into a folder, none of their scripts run, and return its node_modules."""
    if shutil.which("npm") is None:
        raise InputError("npm was expected and not found; on Debian run `apt install npm`, or give `packages`.")
    names = [f"{name}@{version}" for name, version in PACKAGES.items()]
    subprocess.run(
        ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder), *names], check=True
    )
    return folder / "node_modules"


def check_packages(packages: Path) -> Path:
    """The node_modules inside `packages`, once every pinned package is there in its pinned version."""
    modules = packages if packages.name == "node_modules" else packages / "node_modules"
    for name, version in PACKAGES.items():
        file = modules / name / "package.json"
        found = json.loads(file.read_text("utf-8"))["version"] if file.is_file() else "nothing"
        if found != version:
            raise InputError(
                f"The npm package {name} {version} was expected in {modules}, and {found} is there; "
                f"run `npm install --ignore-scripts {name}@{version}`, or leave `packages` out."
            )
    return modules


def versions(font: Path) -> dict[str, str]:
    """What this build was made with, for the card: package versions, engine versions and the hash of the font."""
    flite = subprocess.run(["flite", "--version"], capture_output=True, text=True)  # says it, and exits with 1
    flite_version = re.search(r"flite-([\d.]+)", flite.stdout + flite.stderr)
    return {
        **{f"npm {name}": version for name, version in PACKAGES.items()},
        "espeak-ng": _run(["espeak-ng", "--version"]).split("Data at")[0].split(":")[-1].strip(),
        "flite": flite_version[1] if flite_version is not None else "unknown",
        "festival": _run(["festival", "--version"]).splitlines()[0].split(":", 2)[-1].strip(),
        FONT_NAME: f"sha256 {sha256(font.read_bytes()).hexdigest()}",
    }
