"""A real JupyterLab and a real browser, driven as a reader drives them. What is started here is stopped here, by its id."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmlab.apps.lab import QUIET
from mmlab.paths import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]  # fmt: skip
SETTINGS = {  # every cell stays in the page; nothing pops up
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}
MARGIN = 14  # of the canvas, in pixels
NOISE = ("favicon", "source map", "sourcemap")  # what a browser says of a page without them


class Lab:
    """A JupyterLab on this machine, on a free port, with folders of its own: no setting of the user's is read."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="mmlab-lab-", ignore_cleanup_errors=True)
        self.base = Path(self.folder.name)
        self.root = self.base / "notebooks"
        self.root.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.token = secrets.token_hex(16)
        self.url = f"http://127.0.0.1:{self.port}"
        for name, values in SETTINGS.items():
            path = self.base / "settings" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))

    def start(self) -> "Lab":
        names = {
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        names |= {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTER_DATA_DIR": "data"}
        env = {name: value for name, value in os.environ.items() if name != "JUPYTER_PATH"}
        env |= {name: str(self.base / folder) for name, folder in names.items()}
        env |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={self.token}",
            f"--ServerApp.root_dir={self.root}", "--LabApp.expose_app_in_browser=True", *QUIET,
            "--LabApp.extension_manager=readonly", "--ServerApp.terminals_enabled=False",
        ]  # fmt: skip
        self.log = (self.base / "lab.log").open("w")
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=subprocess.STDOUT, env=env, start_new_session=True
        )
        self._wait()
        return self

    def _wait(self, seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/api/status?token={self.token}", timeout=2).read()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise AssertionError(f"JupyterLab did not start: {(self.base / 'lab.log').read_text()[-2000:]}")

    def stop(self) -> None:
        """Ends this server; it ends its kernels."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def notebook(self, name: str, cells: Sequence[str]) -> str:
        """Writes a notebook of code cells; their sources are hidden, so that outputs are on the screen."""
        made = [
            {"id": f"c{i}", "cell_type": "code", "metadata": {"jupyter": {"source_hidden": True}}, "source": source,
             "execution_count": None, "outputs": []}
            for i, source in enumerate(cells)
        ]  # fmt: skip
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": made}
        (self.root / name).write_text(json.dumps(whole))
        return name


class Sheet:
    """One notebook in a browser page, with everything that went wrong in it or left this machine."""

    def __init__(
        self,
        browser: "Browser",
        lab: Lab,
        name: str,
        *,
        width: int = 1500,
        height: int = 1150,
        dark: bool = False,
        script: str = "",
    ) -> None:
        self.lab, self.errors, self.left = lab, [], []
        self.number = 0  # of the canvas that is asked, where the notebook shows several
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        if script:
            context.add_init_script(script)
        self.page: "Page" = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(f"exception: {error.stack}"))
        self.page.on("console", self._heard)
        self.page.route("**/*", self._guard)
        self.page.goto(f"{lab.url}/lab/tree/{name}?token={lab.token}&reset")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
        self.page.wait_for_function(
            """() => { const s = window.jupyterapp?.shell.currentWidget?.sessionContext; const k = s?.session?.kernel;
               return k && k.connectionStatus === 'connected' && k.status === 'idle'; }""",
            timeout=90_000,
        )
        self.page.evaluate("() => { window.jupyterapp.commands.execute('application:toggle-left-area'); }")
        if dark:
            self.theme("JupyterLab Dark")

    def _heard(self, message: Any) -> None:
        if message.type == "error" and not any(word in message.text.lower() for word in NOISE):
            self.errors.append(f"console: {message.text[:300]}")

    def _guard(self, route: Any) -> None:
        """Lets nothing out of this machine, and remembers what tried to leave."""
        if route.request.url.startswith((self.lab.url, "data:", "blob:")):
            route.continue_()
        else:
            self.left.append(route.request.url)
            route.abort()

    def theme(self, name: str) -> None:
        """JupyterLab's theme; waits until the page has it."""
        self.page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        light = "false" if "Dark" in name else "true"
        self.page.wait_for_function("light => document.body.dataset.jpThemeLight === light", arg=light, timeout=20_000)
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")  # two of its curtains at once trip it

    def run_all(self, *, timeout: int = 120, drawn: str = ".mm-canvas[data-rev]") -> None:
        """Runs every cell and waits for the last, and for what shows that it is drawn; an error in a cell is raised here."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        self.page.wait_for_function(
            """() => { const w = window.jupyterapp.shell.currentWidget;
               return w.sessionContext.session.kernel.status === 'idle' && w.content.widgets.every(c =>
                 c.model.executionCount !== null && !c.promptNode.textContent.includes('*')); }""",
            timeout=timeout * 1000, polling=100,
        )  # fmt: skip
        failed = self.page.evaluate(
            """() => window.jupyterapp.shell.currentWidget.content.widgets.flatMap(c => c.model.outputs.toJSON()
               .filter(o => o.output_type === 'error').map(o => o.ename + ': ' + o.evalue))"""
        )
        assert not failed, failed
        self.page.wait_for_selector(drawn, timeout=30_000)

    def kernel(self, code: str) -> str:
        """What code prints in the notebook's kernel; the notebook stays as it is."""
        printed, error = self.page.evaluate(
            """async code => { const k = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
               const f = k.requestExecute({code, store_history: false}); let s = '', e = '';
               f.onIOPub = m => { if (m.header.msg_type === 'stream') s += m.content.text;
                                  if (m.header.msg_type === 'error') e = m.content.ename + ': ' + m.content.evalue; };
               await f.done; return [s, e]; }""",
            code,
        )
        assert not error, error
        return printed.strip()

    def canvas(self, name: str) -> str:
        """One of the canvas's notes: "rev", "fx", "fy", "n", "zoom", "hover", "sound", "dark"."""
        return self.page.locator(".mm-canvas").nth(self.number).get_attribute(f"data-{name}") or ""

    def wait(self, condition: str, arg: Any = None, *, timeout: int = 20_000) -> None:
        """Waits for a condition on the canvas `c`, its notes `d` and the argument `a`, written in JavaScript."""
        body = f"const c = document.querySelectorAll('.mm-canvas')[n], d = c.dataset; return {condition};"
        self.page.wait_for_function(f"([n, a]) => {{ {body} }}", arg=[self.number, arg], timeout=timeout, polling=30)

    def corner(self) -> tuple[float, float]:
        """The upper left corner of the canvas in the page."""
        box = self.page.locator(".mm-canvas").nth(self.number).bounding_box()
        return box["x"], box["y"]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where in the page a place of the map (in [-1, 1], y upwards) lies, under the present zoom."""
        box = self.page.locator(".mm-canvas").nth(self.number).bounding_box()
        k, right, down = (float(part) for part in self.canvas("zoom").split(","))
        unit = (min(box["width"], box["height"]) / 2 - MARGIN) * k
        return box["x"] + box["width"] / 2 + right + x * unit, box["y"] + box["height"] / 2 + down - y * unit

    def pixels(self) -> int:
        """A sum over the canvas that changes when the picture does."""
        return self.page.evaluate(
            """n => { const c = document.querySelectorAll('.mm-canvas')[n];
               const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
               let h = 0;
               for (let i = 0; i < d.length; i += 4) h = (h * 31 + d[i] + 7 * d[i + 1] + 13 * d[i + 2]) >>> 0;
               return h; }""",
            self.number,
        )

    def close(self) -> None:
        """Ends the kernel and the page."""
        self.page.unroute_all(behavior="ignoreErrors")
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        self.page.context.close()
