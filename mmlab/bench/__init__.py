"""Timings, side by side: each command of `mmlab bench` compares ours with the plain form in the same run."""
