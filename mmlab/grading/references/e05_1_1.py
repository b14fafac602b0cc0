"""Reference solution of 05_1.1."""


def families(things, related):
    family = list(range(things))
    for a, b in related:
        low, high = sorted((family[a], family[b]))
        family = [low if name == high else name for name in family]
    return family
