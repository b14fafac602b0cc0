"""Reference solution of 04_1.3."""

bound = {"f": [1, -1], "g": [1, -1], "best": 3, "why": "A"}
