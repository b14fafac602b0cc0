"""Exercises, the self-check in a notebook, and what a grader needs: light, torch is loaded only where a value is one."""
