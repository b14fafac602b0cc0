"""LICENSES/: for each source who made it, under which terms, and what this dataset changed."""

from pathlib import Path

NOTO_COPYRIGHT = Path("/usr/share/doc/fonts-noto-color-emoji/copyright")  # Debian's copy carries the whole OFL
SIZE = "SIZExSIZE"
CHANGED = f"Changed here: cropped, put on white, reduced to {SIZE} pixels and 64 levels a channel, stored as WebP."

MIT = """Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction, including without
limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the
Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS
OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

NOTO = f"""Style "noto": Noto Color Emoji
SPDX-License-Identifier: OFL-1.1
Copyright 2013-2017 Google Inc. https://github.com/googlefonts/noto-emoji
Taken from the Debian package fonts-noto-color-emoji. {CHANGED}
Pictures made with a font are documents in the sense of the OFL; the notice is kept with them all the same.
"""
TWEMOJI = f"""Style "twemoji": Twemoji
SPDX-License-Identifier: CC-BY-4.0
Copyright 2020 Twitter, Inc and other contributors. https://github.com/twitter/twemoji,
https://github.com/jdecked/twemoji
Graphics licensed under CC BY 4.0: https://creativecommons.org/licenses/by/4.0/
(the npm package says MIT, which is the licence of Twemoji's code). Taken from the npm package @twemoji/svg 15.0.0.
{CHANGED}
"""
FLUENT = f"""Styles "fluent_3d" and "fluent_flat": Fluent Emoji
SPDX-License-Identifier: MIT
Copyright (c) Microsoft Corporation. https://github.com/microsoft/fluentui-emoji
Taken from the npm packages
@lobehub/fluent-emoji-3d 1.1.0 and @lobehub/fluent-emoji-flat 1.1.0 (packaging: Copyright (c) 2023 LobeHub, MIT).
{CHANGED}

{MIT}"""
EMOJIONE = f"""Styles "emojione" and "emojione_line": EmojiOne 2
SPDX-License-Identifier: CC-BY-4.0
Emoji artwork provided by EmojiOne. http://www.emojione.com, https://github.com/joypixels/emojione
Artwork licensed under CC BY 4.0: https://creativecommons.org/licenses/by/4.0/
Taken from the npm package emojione 2.2.7, whose licence file follows. {CHANGED}

"""
OPENMOJI = f"""Style "openmoji", and the columns "order", "group" and "subgroup": OpenMoji
SPDX-License-Identifier: CC-BY-SA-4.0
SHARE-ALIKE: the pictures of this style may be passed on, changed or not, only under the same licence.
All emojis designed by OpenMoji, the open-source emoji and icon project. https://openmoji.org
Taken from the npm package openmoji 17.0.0, whose licence file follows. {CHANGED}

"""
CLDR = """Names and keywords in English and Chinese: Unicode CLDR
SPDX-License-Identifier: Unicode-3.0
Taken from the npm packages cldr-annotations-full 48.2.0 and cldr-annotations-derived-full 48.2.0; their licence
file follows.

"""
SPEECH = """The clips in speech.parquet: names from Unicode CLDR (see CLDR.txt), said by synthetic voices. No person
was recorded for them.

espeak-ng (voices with "+" in their names; GPL-3.0-or-later, https://github.com/espeak-ng/espeak-ng): sounds that
the program makes are not a work based on the program, and its licence does not cover them.

flite (kal16, slt, awb, rms; https://github.com/festvox/flite): Copyright (c) 1999-2016 Language Technologies
Institute, Carnegie Mellon University. BSD-like terms: free to use and distribute, with notice and without
endorsement. slt, awb and rms are built from the CMU ARCTIC recordings (http://festvox.org/cmu_arctic/), free to use
for any purpose with notice.

festival (https://www.cstr.ed.ac.uk/projects/festival/): Copyright (c) 1996-2011 Centre for Speech Technology
Research, University of Edinburgh, and Carnegie Mellon University. X11-like terms, free to use and distribute with
notice. Voices: ked_diphone (Debian festvox-kdlpc16k, CSTR and CMU, same terms); cmu_us_slt_arctic_hts (Debian
festvox-us-slt-hts, CMU ARCTIC and the HTS working group, BSD-like terms).

This dataset adds no restriction of its own to the clips.
"""


def write_licences(folder: Path, modules: Path, *, size: int) -> None:
    """One text per source, with the licence files of the packages where they have one."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "Noto.txt": NOTO + "\n" + noto_licence(),
        "Twemoji.txt": TWEMOJI,
        "FluentEmoji.txt": FLUENT,
        "EmojiOne.txt": EMOJIONE + (modules / "emojione/LICENSE.md").read_text("utf-8"),
        "OpenMoji.txt": OPENMOJI + (modules / "openmoji/LICENSE.txt").read_text("utf-8"),
        "CLDR.txt": CLDR + (modules / "cldr-annotations-full/LICENSE").read_text("utf-8"),
        "Speech.txt": SPEECH,
    }
    for name, text in texts.items():
        (folder / name).write_text(text.rstrip().replace(SIZE, f"{size}x{size}") + "\n", "utf-8")


def noto_licence() -> str:
    """The text of the OFL as Debian ships it with the font; elsewhere where to read it."""
    if NOTO_COPYRIGHT.is_file():
        lines = NOTO_COPYRIGHT.read_text("utf-8").splitlines()
        start = next(number for number, line in enumerate(lines) if line.strip().startswith("SIL OPEN FONT LICENSE"))
        return "\n".join(line[1:] if line[1:] != "." else "" for line in lines[start:])
    return "The text of the SIL Open Font License 1.1: https://openfontlicense.org/open-font-license-official-text/\n"
