"""The verdicts as JUnit XML: a suite a topic, a test case a test.

An exercise that is still to do and a wrong result are failures; a test that hung, crashed or could not be run at all is
an error; a hidden test that waits for the visible suite is skipped.
"""

import re
from xml.etree import ElementTree

from kata.formats import said

ERRORS = ("hang", "crash", "broken")
ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0
TAGS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def text(verdicts, partial):
    """Return the XML document; `partial` changes nothing, JUnit counts tests."""
    root = ElementTree.Element("testsuites", name="check")
    for verdict in verdicts:
        root.append(_suite(verdict))
    _count(root)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}'


def _suite(verdict):
    suite = ElementTree.Element("testsuite", name=f"topic {verdict['topic']} {verdict['stem']}")
    for exercise in verdict["exercises"]:
        failures = {(failure["suite"], failure["test"]): failure for failure in exercise["failures"]}
        for result in exercise["results"]:
            case = _case(suite, verdict, exercise["name"], f"{result['suite']}::{result['test']}")
            _outcome(case, result["outcome"], failures.get((result["suite"], result["test"])))
    if not len(suite) or verdict["problem"]:
        case = _case(suite, verdict, verdict["stem"], "the solution can be tested")
        if verdict["problem"] or not verdict["complete"]:
            _add(case, "error", "broken", verdict["problem"] or "there are no tests", said.about_topic(verdict))
    _count(suite)
    return suite


def _case(suite, verdict, exercise, name):
    return ElementTree.SubElement(suite, "testcase", classname=f"{verdict['stem']}.{exercise}", name=name)


def _outcome(case, outcome, failure):
    if outcome == "not run":
        ElementTree.SubElement(case, "skipped", message="not run: the hidden suite waits for the visible one")
    elif outcome != "passed":
        tag = "error" if failure and failure["kind"] in ERRORS else "failure"
        kind, sentence = (failure["kind"], failure["sentence"]) if failure else ("fail", "failed")
        _add(case, tag, kind, sentence, said.of_failure(failure) if failure else [])


def _add(case, tag, kind, message, lines):
    found = ElementTree.SubElement(case, tag, type=kind, message=ILLEGAL.sub("?", message))
    found.text = ILLEGAL.sub("?", "\n".join(lines))


def _count(element):
    element.set("tests", str(len(element.findall(".//testcase"))))
    for attribute, tag in TAGS.items():
        element.set(attribute, str(len(element.findall(f".//{tag}"))))
