"""Reference solution of 04_1.1."""

shapes = {"formula": "W^T x", "batch": [32, 100], "parameters": 57_600, "rank": 100, "lost": 476}
