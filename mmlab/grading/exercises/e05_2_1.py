"""05_2.1: one step of byte-pair encoding."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _paper(rng: np.random.Generator) -> list[Call]:
    words = [list("low"), list("lower"), list("newest"), list("widest")]
    return [Call({"words": words, "counts": [12, 2, 6, 3]})]


def _random(rng: np.random.Generator) -> list[Call]:
    calls = []
    for letters in ("abc", "xyzw"):
        words = ["".join(rng.choice(list(letters), size=int(rng.integers(5, 10)))) for _ in range(7)]
        counts = (rng.permutation(7) * 10 + rng.integers(1, 10, size=7)).tolist()
        calls.append(Call({"words": [list(word) for word in words], "counts": counts}))
        frequent = [*words, "of"]  # one short word, more frequent than all others together
        calls.append(Call({"words": [list(word) for word in frequent], "counts": [*counts, 5000]}))
    return calls


def _merged(rng: np.random.Generator) -> list[Call]:
    words = [["th", "e"], ["th", "e", "n"], ["o", "th", "e", "r"], ["th", "at"]]
    ends_alike = [["o", "w"], ["lo", "w"], ["lo", "w", "er"]]  # "lo" ends in "o", and is another symbol
    return [Call({"words": words, "counts": [4, 2, 1, 9]}), Call({"words": ends_alike, "counts": [9, 2, 1]})]


def _edges(rng: np.random.Generator) -> list[Call]:
    return [
        Call({"words": [list("aaaa"), list("aaa")], "counts": [1, 1]}),  # overlapping pairs
        Call({"words": [list("ba"), list("ab"), list("ca")], "counts": [2, 2, 2]}),  # a tie
        Call({"words": [["a"], ["the"]], "counts": [3, 4]}),  # nothing to merge
    ]


STATEMENT = """
The course's tokenizer was made by **byte-pair encoding**: begin with single characters (the course: with bytes), and
again and again make one symbol of the most frequent pair of neighbours. Write one step, `merge_step(words, counts)`:
`words` is a list of words, each a list of symbols; `counts` says how often each word occurs in the text.

- Count each pair of neighbouring symbols, as often as its word occurs. ("aaa" holds the pair "a", "a" twice.)
- Take the most frequent; of equally frequent pairs the one that comes first in alphabetical order, by its first
  symbol, then by its second.
- In every word replace it by the joined symbol, from left to right ("aaa" becomes "aa", "a").

Give `{"pair": [first, second], "words": the new words}`; if no word has two symbols,
`{"pair": [], "words": the words as they are}`.
"""

EXERCISE = Exercise(
    id="05_2.1",
    lesson="05_2_text_encoder",
    title="One step of byte-pair encoding",
    entry="merge_step",
    statement=STATEMENT,
    stub='''
def merge_step(words, counts):
    """words: lists of symbols, counts: how often each occurs  ->  {"pair": [a, b], "words": lists of symbols}."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "collections", "itertools"),
    checks=(
        Check("on paper", 1, _paper, "low, lower, newest, widest, as in the paper of Sennrich et al."),
        Check("random", 1, _random, "random words over three and four letters"),
        Check("a later step", 1, _merged, "symbols that are longer than one character already"),
        Check("special", 1, _edges, "overlapping pairs, a tie, nothing to merge", kind="case"),
        Check("fresh", 1, _random, "other random words", hidden=True),
    ),
    hints={
        "value": (
            "Does a pair count once for each word in the list, or as often as the word occurs?",
            "Pairs are made of symbols, not of characters: do not join a word to one string before you look for them.",
            "Walk through each word with an index: where the pair stands, take both and go on by two, else take "
            "one and go on by one.",
        ),
        "case": (
            "Of equally frequent pairs the alphabetically first: `min(pairs, key=lambda pair: (-count[pair], pair))`.",
            'In "aaaa" the pair stands at three places, but only two of them can be merged.',
            "If there is no pair at all, `max` of nothing raises an error.",
        ),
        "in_place": ("Build new lists; the caller's words must stay as they are.",),
        "type": ('"pair" is a list of two strings, "words" a list of lists of strings.',),
        "shape": ("As many words as came in; and in each, only merged pairs make it shorter.",),
        "error": ("What happens when no word has two symbols?",),
    },
    wrong=(
        Wrong(
            """
from collections import Counter

def merge_step(words, counts):
    pairs = Counter()
    for word in words:
        pairs.update(zip(word, word[1:]))
    if not pairs:
        return {"pair": [], "words": words}
    a, b = min(pairs, key=lambda pair: (-pairs[pair], pair))
    new = []
    for word in words:
        out, i = [], 0
        while i < len(word):
            both = word[i:i + 2] == [a, b]
            out.append(a + b if both else word[i])
            i += 1 + both
        new.append(out)
    return {"pair": [a, b], "words": new}
""",
            1,
            "forgets how often each word occurs",
        ),
        Wrong(
            """
from collections import Counter

def merge_step(words, counts):
    pairs = Counter()
    for word, n in zip(words, counts):
        for pair in zip(word, word[1:]):
            pairs[pair] += n
    a, b = min(pairs, key=lambda pair: (-pairs[pair], pair))
    new = [" ".join(word).replace(a + " " + b, a + b).split(" ") for word in words]
    return {"pair": [a, b], "words": new}
""",
            3,
            "a replacement in the text, which cuts through longer symbols; and nothing for words of one symbol",
        ),
    ),
    variant="""
def merge_step(words, counts):
    table = {}
    for word, n in zip(words, counts):
        for left, right in zip(word[:-1], word[1:]):
            table[left, right] = table.get((left, right), 0) + n
    if not table:
        return {"words": [list(word) for word in words], "pair": []}
    most = max(table.values())
    best = sorted(pair for pair in table if table[pair] == most)[0]
    done = []
    for word in words:
        out = []
        for symbol in word:
            if out and not out[-1][1] and (out[-1][0], symbol) == best:
                out[-1] = (out[-1][0] + symbol, True)
            else:
                out.append((symbol, False))
        done.append([symbol for symbol, _ in out])
    return {"words": done, "pair": list(best)}
""",
)
