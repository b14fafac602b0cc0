"""Parts that encoders and fusion operators are built from: attention, the transformer block, positions."""
