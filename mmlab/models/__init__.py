"""Models: the joint embedding that the course calls f."""
