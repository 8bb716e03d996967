"""Expands template.yaml as CloudFormation does, for each value of Rollout. Runs in the environment of the SAM CLI.

`sam validate` does not see what only the expansion refuses, such as the alarms of a rollout in a form that SAM does not know.
"""

import logging
import os
import sys
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
# The translator warns of metrics of its own.
logging.disable(logging.WARNING)

from samcli.yamlhelper import yaml_parse
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
FUNCTION, ALIAS, ROLLOUT = "AWS::Lambda::Function", "AWS::Lambda::Alias", "AWS::CodeDeploy::DeploymentGroup"


def expanded(rollout):
    """The resources, by type."""
    template = yaml_parse(TEMPLATE.read_text())
    for resource in template["Resources"].values():
        if "CodeUri" in resource.get("Properties", {}):
            # SAM wants to know where the code is, and looks at nothing there.
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    parameters = {"FeeWallet": "0x000000000000000000000000000000000000dEaD", "Rollout": rollout}
    resources = Translator({}, Parser()).translate(template, parameters)["Resources"].values()
    return {kind: [resource for resource in resources if resource["Type"] == kind] for kind in (FUNCTION, ALIAS, ROLLOUT)}


def main():
    for rollout in yaml_parse(TEMPLATE.read_text())["Parameters"]["Rollout"]["AllowedValues"]:
        found = expanded(rollout)
        functions, aliases, groups = (len(found[kind]) for kind in (FUNCTION, ALIAS, ROLLOUT))
        watched = all(group["Properties"]["AlarmConfiguration"]["Alarms"] for group in found[ROLLOUT])
        if aliases != functions or groups != (0 if rollout == "AllAtOnce" else functions) or not watched:
            sys.exit(f"Rollout={rollout}: {functions} functions, {aliases} aliases, {groups} rollouts in steps")
        print(f"Rollout={rollout}: {functions} functions, {groups} rollouts in steps")


if __name__ == "__main__":
    try:
        main()
    except InvalidDocumentException as problem:
        sys.exit(f"template.yaml: {problem.message}")
