"""Reference solution of 01.2."""

rows = [
    ["cat", "🐱", "same"],
    ["cat", "🐶", "different"],
    ["dog", "🐱", "different"],
    ["dog", "🐶", "same"],
]
