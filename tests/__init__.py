"""Tests of the course and of the package; `make test` runs them."""
