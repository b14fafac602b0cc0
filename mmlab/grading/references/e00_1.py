"""Reference solution of 00.1."""

by_hand = {"z": [3, 3], "nearest": "north-east", "unchanged": "audio", "cosine": 0.99}
