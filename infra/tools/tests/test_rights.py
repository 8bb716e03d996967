"""What functions lose from one template to the next."""

import copy
import unittest

from samcli.yamlhelper import yaml_parse
from stack import TOOLS

from rights import lost


def template(*statements, function="Gateway"):
    return {"Resources": {function: {"Type": "AWS::Serverless::Function", "Properties": {"Policies": [{"Statement": list(statements)}]}}}}


def statement(action, keys=None, attributes=None, resource="table", effect="Allow"):
    said = {"Effect": effect, "Action": action, "Resource": {"Fn::GetAtt": ["TableArn", "Value"]} if resource == "table" else resource}
    conditions = {}
    if keys:
        conditions["ForAllValues:StringLike"] = {"dynamodb:LeadingKeys": keys}
    if attributes:
        conditions["ForAllValues:StringEquals"] = {"dynamodb:Attributes": attributes}
    return said | ({"Condition": conditions} if conditions else {})


class Lost(unittest.TestCase):
    def test_the_template_loses_nothing_to_itself_and_each_statement_that_goes(self):
        before = yaml_parse((TOOLS.parents[1] / "template.yaml").read_text())
        self.assertEqual(lost(before, before), [])
        after = copy.deepcopy(before)
        after["Resources"]["Site"]["Properties"]["Policies"][0]["Statement"].pop()
        lines = lost(before, after)
        self.assertTrue(lines and all(line.startswith("Site: ") for line in lines), lines)

    def test_an_action_and_a_key_are_rights(self):
        before = template(statement(["dynamodb:GetItem", "dynamodb:PutItem"], ["CALL#*", "KEY#*"]))
        after = template(statement("dynamodb:GetItem", ["CALL#*", "KEY#*"]), statement("dynamodb:PutItem", ["CALL#*"]))
        self.assertEqual(lost(before, after), ["Gateway: dynamodb:PutItem table KEY#*"])
        self.assertEqual(lost(after, before), [])

    def test_a_wider_pattern_loses_nothing(self):
        narrow, wide = (template(statement("dynamodb:Query", [key])) for key in ("SELLER#*#REVIEWS", "SELLER#*"))
        self.assertEqual(lost(narrow, wide), [])
        self.assertEqual(lost(wide, narrow), ["Gateway: dynamodb:Query table SELLER#*"])
        everything = template(statement("dynamodb:Query"))
        self.assertEqual(lost(narrow, everything), [])
        self.assertEqual(lost(everything, narrow), ["Gateway: dynamodb:Query table"])

    def test_an_attribute_is_a_right(self):
        both, one, all_of_them = (template(statement("dynamodb:UpdateItem", ["KEY#*"], of)) for of in (["PK", "used"], ["PK"], None))
        self.assertEqual(lost(both, one), ["Gateway: dynamodb:UpdateItem table KEY#* [used]"])
        self.assertEqual(lost(all_of_them, both), ["Gateway: dynamodb:UpdateItem table KEY#* [any attribute]"])
        self.assertEqual(lost(one, all_of_them), [])
        # One request names both attributes: two statements with one each do not allow it.
        split = template(*(statement("dynamodb:UpdateItem", ["KEY#*"], [of]) for of in ("PK", "used")))
        self.assertEqual(len(lost(both, split)), 1)

    def test_another_resource_is_another_right(self):
        index = {"Fn::Sub": "${TableArn.Value}/index/gsi1"}
        before = template(statement("dynamodb:Query", ["A#*"], resource=index))
        self.assertEqual(lost(before, template(statement("dynamodb:Query", ["A#*"]))), ["Gateway: dynamodb:Query table/index/gsi1 A#*"])

    def test_what_is_denied_is_lost(self):
        allowed = statement("dynamodb:Query", ["A#*"])
        after = template(allowed, statement("dynamodb:Query", ["A#*"], effect="Deny") | {"Sid": "NotNow"})
        self.assertEqual(lost(template(allowed), after), ["Gateway: what is denied now: NotNow"])
        self.assertEqual(lost(after, after), [])

    def test_a_function_in_one_template_only_loses_nothing(self):
        one, other = template(statement("a")), template(statement("b"), function="Other")
        self.assertEqual(lost(one, other), [])


if __name__ == "__main__":
    unittest.main()
