"""Who is told of alarms, whether the edge is known, what a deployment calls itself, and what a stack leaves."""

import contextlib
import hashlib
import io
import json
import unittest
from unittest import mock

from stack import stack

import preflight
from deployment import Concern, Deployment, Problem

TOPIC = "arn:aws:sns:eu-west-1:123456789012:topic"
EDGE = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:edge-AbCdEf"


def hash_of(secret):
    return hashlib.sha256(secret.encode()).hexdigest()


class Alarms(unittest.TestCase):
    def told(self, *subscriptions, email="me@example.org", deployed="me@example.org"):
        found = [{"SubscriptionArn": arn, "Endpoint": endpoint, "Protocol": "email"} for arn, endpoint in subscriptions]
        answers = [("sns", "list_subscriptions_by_topic", {"Subscriptions": found})]
        outputs = {"AlarmTopicArn": TOPIC}
        return stack(preflight.Preflight, {"AlarmEmail": email}, {"AlarmEmail": deployed}, outputs, answers=answers).alarms()

    def test_who_has_confirmed_is_told(self):
        self.assertEqual(self.told((f"{TOPIC}:1", "Me@example.org")), "alarms: me@example.org is told")

    def test_who_has_not_is_not(self):
        own = "me@example.org"
        for subscriptions in [(), [("PendingConfirmation", own)], [("Deleted", own)], [(f"{TOPIC}:1", "you@example.org")]]:
            with self.assertRaisesRegex(Concern, f"NOT told.*aws sns subscribe .*{TOPIC} --protocol email .*me@example.org"):
                self.told(*subscriptions)

    def test_an_address_that_comes_with_this_deployment_is_asked_later(self):
        self.assertIn("within 48 hours", self.told(deployed="you@example.org"))
        new = stack(preflight.Preflight, {"AlarmEmail": "me@example.org"}, None)
        self.assertIn("within 48 hours", new.alarms())

    def test_nobody(self):
        with self.assertRaisesRegex(Concern, "nobody"):
            self.told(email="")


class Edge(unittest.TestCase):
    saved = {"EdgeCertificateArn": "arn", "PublicUrl": "https://a.example"}

    def told(self, known, **more):
        answers = [("secretsmanager", "get_secret_value", {"SecretString": json.dumps({"edge_secret": "new"})})]
        saved = self.saved | {"EdgeSecretSha256": known} | more
        return stack(preflight.Preflight, saved, {}, {"EdgeSecretArn": EDGE}, answers=answers).edge()

    def test_functions_know_what_the_edge_sends(self):
        for known in (hash_of("new"), f"{hash_of('old')},{hash_of('new')}"):
            self.assertIn("CloudFront and a firewall", self.told(known, EdgeSecretVersion="0" * 32))

    def test_an_edge_that_they_do_not_know_makes_one_caller_of_all(self):
        with self.assertRaisesRegex(Concern, f"EdgeSecretSha256={hash_of('new')} "):
            self.told("")
        with self.assertRaisesRegex(Concern, f"EdgeSecretSha256={hash_of('old')},{hash_of('new')} "):
            self.told(hash_of("old"))


class Run(unittest.TestCase):
    def printed(self, *checks):
        made = stack(preflight.Preflight, None, None)
        for name in ("credentials", "stack_state", "answers", "concurrency", "reserved", "concurrency_alarm"):
            setattr(made, name, lambda: "fine")
        for name, check in checks:
            setattr(made, name, check)
        with contextlib.redirect_stdout(io.StringIO()) as told:
            went = made.run(is_first=False)
        return went, told.getvalue()

    def test_a_concern_does_not_stop_a_deployment_and_a_problem_does(self):
        def concern():
            raise Concern("look")

        def problem():
            raise Problem("stop")

        self.assertEqual(self.printed()[0], True)
        went, told = self.printed(("reserved", concern))
        self.assertTrue(went and "NOTE    look" in told)
        went, told = self.printed(("reserved", problem))
        self.assertTrue(not went and "FAILED  stop" in told)

    def test_words(self):
        for wrong in (["prod", "--change"], ["prod", "other"], ["prod", "--change", "FeeBps"], []):
            with self.assertRaises(Problem):
                preflight.main(wrong)


class Tags(unittest.TestCase):
    def tags(self, deployed, had=None):
        return stack(Deployment, {}, deployed, tags=had).tags("b")

    def test_the_way_back_is_the_last_other_commit(self):
        self.assertEqual(self.tags(None), {"commit": "b"})
        self.assertEqual(self.tags({}), {"commit": "b"})
        self.assertEqual(self.tags({}, {"commit": "a"}), {"commit": "b", "commit-before": "a"})
        again = {"commit": "b", "commit-before": "a"}
        self.assertEqual(self.tags({}, again), again)


class Rollout(unittest.TestCase):
    names = ("FunctionErrors", "ScheduledErrors", "GatewayServerErrors", "ApiServerErrors")

    def told(self, rollout, *on):
        asked = {"AlarmNames": [f"crochet-prod-{name}" for name in self.names], "StateValue": "ALARM"}
        answers = [("cloudwatch", "describe_alarms", {"MetricAlarms": [{"AlarmName": name} for name in on]}, asked)]
        return stack(preflight.Preflight, {"Rollout": rollout}, {}, answers=answers).rollout()

    def test_an_alarm_that_is_on_stops_a_rollout_and_no_deployment_at_once(self):
        self.assertIn("none of its alarms is on", self.told("Canary10Percent10Minutes"))
        with self.assertRaisesRegex(Problem, "crochet-prod-ScheduledErrors is on.*Rollout=AllAtOnce"):
            self.told("Canary10Percent10Minutes", "crochet-prod-ScheduledErrors")
        self.assertEqual(self.told("AllAtOnce", "crochet-prod-ScheduledErrors"), "rollout: AllAtOnce")


class Build(unittest.TestCase):
    def test_the_answers_name_the_processor(self):
        def processor(saved, deployed):
            return stack(Deployment, saved, deployed).parameters()["Architecture"]

        self.assertEqual(processor(None, None), "arm64")
        self.assertEqual(processor({"Architecture": "x86_64"}, None), "x86_64")
        self.assertEqual(processor({}, {"Architecture": "x86_64"}), "x86_64")


class PutSecret(unittest.TestCase):
    def test_a_node_is_asked_by_https_only(self):
        for url in ("http://node.example", "wss://node.example", "node.example"):
            with mock.patch("sys.stdin", io.StringIO(url)), self.assertRaisesRegex(Problem, "https"):
                stack(Deployment, {}, {}).put_secret("evm_rpc_url")


class Left(unittest.TestCase):
    def left(self, deployed, **outputs):
        tables = ["crochet-other-Table-1", "crochet-prod-Table-OLD", "crochet-prod-Table-NOW", "crochet-prod-restored"]
        answers = [
            ("cloudformation", "list_stack_resources", {"StackResourceSummaries": []}),
            ("dynamodb", "list_tables", {"TableNames": tables}),
        ]
        return stack(Deployment, {}, deployed, outputs, answers=answers).left()

    def test_the_table_before_a_restore_is_left(self):
        both = ["crochet-prod-Table-OLD", "crochet-prod-Table-NOW"]
        self.assertEqual(self.left({}, TableName="crochet-prod-restored")["other_tables"], both)
        self.assertEqual(self.left({}, TableName="crochet-prod-Table-NOW")["other_tables"], ["crochet-prod-Table-OLD"])

    def test_an_edge_of_its_own_stack_is_left(self):
        self.assertFalse(self.left({"EdgeSecretSha256": ""})["edge_elsewhere"])
        self.assertTrue(self.left({"EdgeSecretSha256": "aa"})["edge_elsewhere"])
        self.assertFalse(self.left({"EdgeSecretSha256": "aa"}, EdgeSecretArn=EDGE)["edge_elsewhere"])


if __name__ == "__main__":
    unittest.main()
