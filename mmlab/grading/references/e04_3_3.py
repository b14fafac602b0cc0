"""Reference solution of 04_3.3: ln B, ln 2 for a twin, ln B at a collapse, and a scale of 0."""

import math

losses = {
    "start": math.log(64),
    "larger": math.log(512),
    "twins": math.log(2),
    "collapse": math.log(64),
    "trivial": 0,
}
