"""Reference solution of 03_1.1: the squared length is 3 + 6c."""

lengths = {"agree": 3.0, "unrelated": 3**0.5, "half": 6**0.5, "cancel": -0.5}
