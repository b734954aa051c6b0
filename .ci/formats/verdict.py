"""Reads what the validators said of the reports in the working directory, and fails on anything that is not known."""

import json
import sys
import xml.etree.ElementTree as tree

from py_ocsf_models.events.findings.detection_finding import DetectionFinding
from pydantic import ValidationError

# The tool has no home page yet.
KNOWN = {"SARIF2005"}


def complaints(report):
    """What the multitool says about a SARIF file, with what is known left out."""
    checked = json.load(open(f"{report}.checked"))["runs"][0]
    notes = checked["invocations"][0].get("toolConfigurationNotifications", [])
    assert not [note for note in notes if note.get("level") == "error"], notes
    return [result for result in checked["results"] if result["ruleId"] not in KNOWN]


def finding(event):
    """A Detection Finding by the models. They want more of an owner than the schema, which wants one of account, name and uid."""
    for resource in event["resources"]:
        if "owner" in resource:
            resource["owner"] |= {"uid": "", "type_id": 0, "account": {"name": "", "type_id": 0, "uid": ""}}
    model = DetectionFinding.model_validate(event)
    # They drop what they do not know: that is an attribute of another version, or none.
    strange = set(unknown(event, json.loads(model.model_dump_json(exclude_none=True)), ""))
    # Of 1.4.0; the models lack it.
    assert strange <= {".is_alert"}, strange


def unknown(ours, theirs, path):
    """Paths of what is lost or changed on the way through the models."""
    if isinstance(ours, dict):
        for key, value in ours.items():
            if key in theirs:
                yield from unknown(value, theirs[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(ours, list):
        if len(ours) != len(theirs):
            yield path
        for one, other in zip(ours, theirs):
            yield from unknown(one, other, f"{path}[]")
    elif ours != theirs:
        yield path


def main():
    for report in ("demo", "nowhere", "changes", "later"):
        found = complaints(report)
        assert not found, json.dumps(found, indent=1)
    assert complaints("broken"), "the validator takes a result without a message"
    print("SARIF: valid, and the validator refuses a broken one")

    events = [json.loads(line) for name in ("demo", "nowhere") for line in open(f"{name}.ocsf.jsonl")]
    findings = [event for event in events if event["class_uid"] == 2004]
    scans = [event for event in events if event["class_uid"] == 6007]
    assert findings and len(scans) + len(findings) == len(events)
    assert [scan for scan in scans if scan["status_id"] == 2], "the tenant that could not be reached"
    for event in findings:
        finding(event)
    results = json.load(open("nowhere.sarif"))["runs"][0]["results"]
    first = results[0]
    assert first["ruleId"] == "incomplete-scan" and first["level"] == "error", first
    assert all("baselineState" in result for result in results), "on all results or on none"
    del findings[0]["finding_info"]["uid"]
    try:
        finding(findings[0])
        sys.exit("the models take a finding without an id")
    except ValidationError:
        pass
    print(f"OCSF: {len(findings)} findings are valid, and the models refuse a broken one")

    for report in ("demo", "nowhere", "changes", "later"):
        suites = tree.parse(f"{report}.xml").getroot()
        assert suites.tag == "testsuites" and int(suites.get("tests")) == len(list(suites.iter("testcase")))
    assert list(tree.parse("nowhere.xml").getroot().iter("error"))
    print("JUnit: well-formed, and counts what is there")


main()
