"""One reference solution per exercise, as source; read only by the grader, left out of what learners get."""
