"""Gradescope's `results.json` for one submission: a test for each check; hidden ones say what failed after publishing."""

import json
from collections.abc import Mapping
from typing import Any


def gradescope(report: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    tests = [_test(exercise, check) for exercise in row["exercises"] for check in exercise["checks"]]
    output = "\n".join([row["reason"], *row["notes"]])
    results = {
        "score": row["score"],
        "output": output,
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"tool": report["tool"], "schema": report["schema"], "isolation": report["isolation"]["level"]},
    }
    return json.dumps(results, ensure_ascii=False, indent=1) + "\n"


def _test(exercise: Mapping[str, Any], check: Mapping[str, Any]) -> dict[str, Any]:
    failure = check["failure"]
    return {
        "name": f"{exercise['id']} {exercise['title']}: {check['name']}",
        "number": exercise["id"],
        "score": check["score"],
        "max_score": check["max_score"],
        "status": "passed" if check["passed"] else "failed",
        "output": check["about"] if failure is None else "\n".join(filter(None, [failure["sentence"], check["hint"]])),
        "visibility": "after_published" if check["hidden"] else "visible",
    }
