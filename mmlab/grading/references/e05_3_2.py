"""Reference solution of 05_3.2; `patches` is the solution of 05_3.1."""


def embed(picture, kernel, bias):
    matrix = kernel.flatten(start_dim=1).T
    return patches(picture, kernel.shape[-1]) @ matrix + bias
