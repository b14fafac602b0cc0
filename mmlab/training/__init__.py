"""Training: what may be seen, how it is varied, what is asked of the model, and the recipes under Lightning."""
