"""Reference solution of 06_1.1."""


def counterfactual(rows):
    pairs = [(row["answer"] == row["truth"], row["answer_swapped"] == row["truth_swapped"]) for row in rows]
    moved = [row["truth"] != row["truth_swapped"] for row in rows]
    same = [row["answer"] == row["answer_swapped"] for row in rows]
    total = max(sum(moved), 1)
    return {
        "accuracy": sum(map(sum, pairs)) / (2 * len(rows)),
        "both": sum(all(pair) for pair, kept in zip(pairs, moved, strict=True) if kept) / total,
        "blind": sum(each for each, kept in zip(same, moved, strict=True) if kept) / total,
    }
