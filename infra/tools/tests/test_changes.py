"""What a deployment would change: parameters, rights, and the table."""

import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from stack import TOOLS, stack

from changes import Changes
from deployment import Concern, Problem

NAME = "crochet-restored"


def backups(status):
    return {
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": status},
        }
    }


BACKED_UP, NOT_BACKED_UP = backups("ENABLED"), backups("DISABLED")
EXPIRES = {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}}


def changes(saved, deployed, *allowed, answers=()):
    return stack(Changes, saved, deployed, answers=answers, allowed=set(allowed))


class Parameters(unittest.TestCase):
    deployed = {"ExistingTableName": NAME, "FeeWallet": "0x1", "FeeBps": "490"}

    def test_what_is_as_deployed_says_nothing(self):
        self.assertEqual(changes(dict(self.deployed), self.deployed).parameter_changes(), "parameters: as deployed")
        self.assertIn("new stack", changes({"FeeWallet": "0x1"}, None).parameter_changes())

    def test_a_change_is_listed_and_goes_on(self):
        with self.assertRaisesRegex(Concern, "FeeBps from 490 to 300"):
            changes({"FeeBps": "300"}, self.deployed).parameter_changes()

    def test_an_old_file_does_not_make_a_new_and_empty_table(self):
        old = {"ExistingTableName": "", "FeeWallet": "0x2", "FeeBps": "490"}
        told = 'ExistingTableName from crochet-restored to "".*--change ExistingTableName --change FeeWallet'
        with self.assertRaisesRegex(Problem, told):
            changes(old, self.deployed).parameter_changes()
        # One of the two is named.
        with self.assertRaisesRegex(Problem, "prod --change FeeWallet`"):
            changes(old, self.deployed, "ExistingTableName").parameter_changes()
        with self.assertRaisesRegex(Concern, "FeeWallet from 0x1 to 0x2"):
            changes(old, self.deployed, "ExistingTableName", "FeeWallet").parameter_changes()

    def test_an_edge_is_added_and_does_not_go_by_accident(self):
        def told(old, new):
            return changes({"EdgeCertificateArn": new}, {"EdgeCertificateArn": old}).parameter_changes()

        for old in ("", "arn:one"):
            with self.assertRaises(Concern):
                told(old, "arn:two")
        with self.assertRaisesRegex(Problem, "CloudFront goes.*--change EdgeCertificateArn"):
            told("arn:one", "")

    def test_the_host_does_not_change_by_accident(self):
        for name in ("PublicUrl", "DomainName"):
            with self.assertRaises(Problem):
                changes({name: ""}, {name: "a.example"}).parameter_changes()


TEMPLATE = """
Resources:
  Site:
    Type: AWS::Serverless::Function
    Properties:
      Policies:
        - Statement:
            - Effect: Allow
              Action: dynamodb:Query
              Resource: !Sub ${TableArn.Value}/index/gsi2
              Condition:
                ForAllValues:StringLike:
                  dynamodb:LeadingKeys: ["SELLER#*"]
"""


class Rights(unittest.TestCase):
    def told(self, deployed, saved):
        answers = [("cloudformation", "get_template", {"TemplateBody": deployed})]
        made = changes(saved, {"FeeWallet": "0x1"}, answers=answers)
        with tempfile.TemporaryDirectory() as root, mock.patch("changes.ROOT", Path(root)):
            (Path(root) / "template.yaml").write_text(TEMPLATE)
            return made.rights()

    def test_the_same_template_loses_none(self):
        self.assertEqual(self.told(TEMPLATE, {}), "rights: no function loses any")
        self.assertEqual(changes({}, None).rights(), "rights: of a new stack")

    def test_what_is_lost_is_said_with_the_way_out(self):
        had_more = TEMPLATE.replace('["SELLER#*"]', '["SELLER#*", "CALL#*"]')
        with self.assertRaisesRegex(Concern, r"Site: dynamodb:Query table/index/gsi2 CALL#\*.*Deploy twice"):
            self.told(had_more, {})
        with self.assertRaisesRegex(Concern, "for the minute"):
            self.told(had_more, {"Rollout": "AllAtOnce"})


class Table(unittest.TestCase):
    def told(self, change=lambda table: None, ttl=EXPIRES, backups=BACKED_UP, deployed=""):
        wanted = json.loads((TOOLS.parent / "table.json").read_text())
        indexes = [
            {"IndexName": index["IndexName"], "KeySchema": index["KeySchema"], "IndexStatus": "ACTIVE"}
            for index in wanted["GlobalSecondaryIndexes"]
        ]
        table = {
            "TableStatus": "ACTIVE",
            "KeySchema": wanted["KeySchema"],
            "GlobalSecondaryIndexes": indexes,
            "DeletionProtectionEnabled": True,
        }
        change(table)
        answers = [
            ("dynamodb", "describe_table", {"Table": table}),
            ("dynamodb", "describe_time_to_live", ttl),
            ("dynamodb", "describe_continuous_backups", backups),
        ]
        return changes({"ExistingTableName": NAME}, {"ExistingTableName": deployed}, answers=answers).table()

    def test_a_table_like_the_stacks_own(self):
        self.assertIn(NAME, self.told())
        self.assertEqual(changes({}, {"ExistingTableName": ""}).table(), "table: the stack's own")

    def test_a_table_that_is_not_there(self):
        answers = [("dynamodb", "describe_table", "ResourceNotFoundException")]
        with self.assertRaisesRegex(Problem, "there is none"):
            changes({"ExistingTableName": NAME}, {}, answers=answers).table()

    def test_what_a_restore_does_not_bring_along(self):
        for told, given in [
            ("update-time-to-live", {"ttl": {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}}),
            ("update-continuous-backups", {"backups": NOT_BACKED_UP}),
            ("deletion-protection", {"change": lambda table: table.update(DeletionProtectionEnabled=False)}),
            ("no index gsi3", {"change": lambda table: table["GlobalSecondaryIndexes"].pop()}),
            ("gsi1 is CREATING", {"change": lambda table: table["GlobalSecondaryIndexes"][0].update(IndexStatus="CREATING")}),
            (
                "the key of its index gsi1",
                {"change": lambda table: table["GlobalSecondaryIndexes"][0].update(KeySchema=table["KeySchema"])},
            ),
            ("it is CREATING", {"change": lambda table: table.update(TableStatus="CREATING")}),
        ]:
            with self.assertRaisesRegex(Problem, told):
                self.told(**given)

    def test_a_table_in_use_does_not_keep_a_deployment_from_mending(self):
        with self.assertRaisesRegex(Concern, "cannot be restored"):
            self.told(backups=NOT_BACKED_UP, deployed=NAME)


if __name__ == "__main__":
    unittest.main()
