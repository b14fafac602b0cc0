"""What the two pages share: one style sheet, and the frame of a page. No script, nothing loaded from elsewhere."""

from html import escape

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1f24; background: #fff;
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem; vertical-align: top; }
th { border-bottom: 2px solid #57606a; } td { border-bottom: 1px solid #d0d7de; }
.n { text-align: right; white-space: nowrap; }
.bar { background: #e6e9ed; height: .7rem; min-width: 6rem; } .bar div { background: #0072b2; height: 100%; }
.right { color: #00614a; } .wrong { color: #9a3b00; } .quiet { color: #57606a; }
pre { background: #f3f4f6; padding: .6rem; overflow: auto; max-height: 14rem; white-space: pre-wrap; }
@media (prefers-color-scheme: dark) {
  body { color: #e6e9ed; background: #14181d; } td { border-color: #3a424c; }
  .bar { background: #3a424c; } pre { background: #20262d; }
  .bar div { background: #56b4e9; } .right { color: #56d4a8; } .wrong { color: #f0a36b; } .quiet { color: #a3adb8; }
}
"""


def page(title: str, body: str) -> str:
    """A whole page."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def bar(share: float) -> str:
    """A bar that a screen reader reads as a percentage."""
    percent = round(100 * share)
    return f'<div class="bar" role="img" aria-label="{percent} percent"><div style="width:{percent}%"></div></div>'
