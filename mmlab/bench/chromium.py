"""Where a Chromium is that Playwright can drive: on the PATH, Playwright's own, or freshly installed.

Run as a program (`make test` does) it says in one line what it found or did, and fails with a sentence where there is none.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
MISSING = (
    "The widgets are tested and timed in Chromium or Chrome, and none was found. Install one (Debian and Ubuntu: sudo apt "
    "install chromium; anywhere: .venv/bin/playwright install chromium), or say where it is in the variable CHROMIUM."
)


def find() -> str | None:
    """The path of a browser that is here already and starts."""
    if (said := os.environ.get("CHROMIUM")) is not None:
        return said if works(said) else None
    return next((path for path in candidates() if works(path)), None)


def candidates() -> Iterator[str]:
    """Where one may be: on the PATH, where a Mac keeps it, where Playwright does."""
    yield from filter(None, (shutil.which(name) for name in NAMES))
    yield from MAC
    yield own()


def works(path: str) -> bool:
    """Whether this is a program that starts: one without its libraries does not."""
    if not Path(path).is_file():
        return False
    return subprocess.run([path, "--version"], capture_output=True, check=False, timeout=60).returncode == 0


def own() -> str:
    """Where Playwright keeps its own Chromium, whether it is there or not."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def install() -> None:
    """Tries Playwright's own, then the package manager where this is an administrator's shell."""
    tries = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        apt = ["apt-get", "install", "-y", "-qq", "chromium"]
        tries += [apt, ["apt-get", "update", "-qq"], apt]
    for command in tries:
        print(f"Looking for a browser: {' '.join(command[-3:])} ...", flush=True)
        run(command)
        if find() is not None:
            return


def run(command: list[str]) -> None:
    """One try to install; what it says is of no use to a reader, only whether there is a browser afterwards."""
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> int:
    if find() is None and "CHROMIUM" not in os.environ:
        install()
    path = find()
    print(f"The widgets are tested in {path}." if path else MISSING, file=sys.stdout if path else sys.stderr)
    return 0 if path else 1


if __name__ == "__main__":
    sys.exit(main())
