"""Reference solution of 05_5.1."""

import numpy as np

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


def adamw_step(weight, gradient, mean, square, step, lr, decay):
    mean = BETA_1 * mean + (1 - BETA_1) * gradient
    square = BETA_2 * square + (1 - BETA_2) * gradient**2
    mean_hat, square_hat = mean / (1 - BETA_1**step), square / (1 - BETA_2**step)
    weight = weight - lr * decay * weight - lr * mean_hat / (np.sqrt(square_hat) + EPSILON)
    return {"weight": weight, "mean": mean, "square": square}
