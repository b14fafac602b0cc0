"""Reference solution of 02_1.2."""

words = {"a": "co-learning", "b": "alignment", "c": "translation", "d": "representation", "e": "fusion"}
