"""JUnit XML: a suite for each submission, a case for each check; hidden ones are named, without values."""

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as Xml

from mmlab.grading.reports.names import points, printable


def junit(report: Mapping[str, Any]) -> str:
    root = Xml.Element("testsuites", name="mmlab grade")
    for row in report["submissions"]:
        checks = [(exercise, check) for exercise in row["exercises"] for check in exercise["checks"]]
        failed = sum(not check["passed"] for _, check in checks)
        unreadable = row["status"] == "unreadable"
        suite = Xml.SubElement(
            root,
            "testsuite",
            name=printable(row["name"]),
            tests=str(len(checks)),
            failures=str(0 if unreadable else failed),
            errors=str(len(checks) if unreadable else 0),
            timestamp=report["graded"],
        )
        properties = Xml.SubElement(suite, "properties")
        for name in ("score", "max_score"):
            Xml.SubElement(properties, "property", name=name, value=points(row[name]))
        for exercise, check in checks:
            _case(suite, row, exercise, check)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: Xml.Element, row: Mapping[str, Any], exercise: Mapping[str, Any], check: Mapping[str, Any]) -> None:
    classname = f"{row['name']}.{exercise['id'].replace('.', '-')}"
    case = Xml.SubElement(suite, "testcase", classname=printable(classname), name=printable(check["name"]))
    if row["status"] == "unreadable":
        Xml.SubElement(case, "error", message=printable(row["reason"]))
    elif not check["passed"]:
        failure = check["failure"]
        Xml.SubElement(case, "failure", type=failure["kind"], message=printable(failure["sentence"]))
