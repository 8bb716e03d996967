"""What is looked at before a deployment. Runs in the environment of the SAM CLI.

    preflight.py ENV [--change PARAMETER]...   prints a line for each check; exits 1 if a deployment must fail. --change names what may
                                               change, of the parameters that must not change by accident
    preflight.py ENV first                     the same; the stack must be new
"""

import hashlib
import json

from botocore.exceptions import BotoCoreError, ClientError
from samcli.yamlhelper import yaml_parse

from changes import NAMED, Changes
from deployment import ROOT, Concern, Problem, run

# Calls that wait for a seller hold one execution each. A new account may have as few as 10.
CONCURRENCY_NEEDED = 100
# Of these executions, AWS lets nobody reserve any.
UNRESERVED = 100
# What is reserved for a function, where the account has enough: the gateway's is a share in percent.
RECOMMENDED = {"Gateway": 60, "Catalog": 20, "Site": 20, "Snapshot": 1}


def way_out(status, stack, region, left=()):
    """Why a stack in this state cannot be deployed to, with the command that leads out; None if it can."""
    of = f"--stack-name {stack} --region {region}"
    if status.endswith("_IN_PROGRESS"):
        return f"it is {status}: wait until `aws cloudformation describe-stacks {of} --query Stacks[0].StackStatus` says that it ended"
    commands = {
        "ROLLBACK_COMPLETE": "delete-stack",
        "ROLLBACK_FAILED": "delete-stack",
        "CREATE_FAILED": "delete-stack",
        "DELETE_FAILED": "delete-stack",
        "UPDATE_FAILED": "rollback-stack",
        "UPDATE_ROLLBACK_FAILED": "continue-update-rollback",
    }
    if status not in commands:
        return None
    told = f"it is {status}, from which nothing can be deployed: `aws cloudformation {commands[status]} {of}`, then deploy again."
    if commands[status] == "delete-stack" and left:
        told += (
            f" It leaves {', '.join(left)}. Delete what you do not need yourself; a table first needs "
            f"`aws dynamodb update-table --no-deletion-protection-enabled --region {region} --table-name TABLE`."
        )
    return told


def recommended(limit):
    """The concurrencies to reserve in an account with this limit; none if it is too small for them."""
    reserved = RECOMMENDED | {"Gateway": limit * RECOMMENDED["Gateway"] // 100}
    return reserved if limit - sum(reserved.values()) >= UNRESERVED else {}


class Preflight(Changes):
    def run(self, is_first):
        """Prints one line for each check. Returns whether a deployment can go on."""
        checks = [self.credentials, self.stack_state, self.answers, self.concurrency, self.reserved, self.concurrency_alarm]
        if is_first:
            checks.insert(1, self.is_new)
        if self.settings["known"]:
            checks += [self.parameter_changes, self.rollout, self.table, self.rights, self.alarms, self.domain, self.edge, self.provider_key]
        failed = False
        for check in checks:
            try:
                print(f"  ok      {check()}", flush=True)
            except Concern as concern:
                print(f"  NOTE    {concern}", flush=True)
            except Problem as problem:
                failed = True
                print(f"  FAILED  {problem}", flush=True)
            except (BotoCoreError, ClientError) as error:
                failed = True
                print(f"  FAILED  {check.__name__.replace('_', ' ')}: {error}", flush=True)
                if check == self.credentials:
                    break
        return not failed

    def credentials(self):
        caller = self.client("sts").get_caller_identity()
        return f"credentials: {caller['Arn']}, region {self.region}, stack {self.stack}"

    def is_new(self):
        if self.described is None:
            return "stack: new"
        raise Problem(
            f"the stack {self.stack} exists in {self.region}, and the answers just given would change it. Remove the sections of "
            f"{self.env} from samconfig.toml, and choose another name"
        )

    def stack_state(self):
        if self.described is None:
            return "state: there is no stack yet"
        status = self.described["StackStatus"]
        left = [f"{logical} ({name})" for logical, _, name, state in self.resources() if state == "DELETE_SKIPPED"]
        problem = way_out(status, self.stack, self.region, left)
        if problem:
            raise Problem(f"state: {problem}")
        return f"state: {status}"

    def answers(self):
        section = f"[{self.env}.deploy.parameters]"
        if self.settings["known"]:
            return f"answers: {section} in samconfig.toml"
        if self.described is None:
            return "answers: none yet. SAM asks for the parameters, and the rest is looked at then"
        raise Problem(
            f"answers: the stack {self.stack} exists, and samconfig.toml has no section {section}. The defaults of the questions would "
            "reset the live stack, such as its DomainName and ExistingTableName. Take the file from whoever deployed last, and commit "
            f"it. `aws cloudformation describe-stacks --stack-name {self.stack} --region {self.region} --query Stacks[0].Parameters` "
            "prints what the stack has"
        )

    def limit(self):
        return self.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]

    def reservations(self):
        of = self.parameters()
        return {name: int(of[f"{name}Concurrency"]) for name in RECOMMENDED if of.get(f"{name}Concurrency")}

    def concurrency(self):
        limit, reserved = self.limit(), sum(self.reservations().values())
        if reserved and limit - reserved < UNRESERVED:
            raise Problem(f"account concurrency {limit}: AWS keeps {UNRESERVED} unreserved, so reserving {reserved} is too much")
        if limit < CONCURRENCY_NEEDED:
            raise Problem(
                f"account concurrency {limit}: one slow seller would fill it; ask for {CONCURRENCY_NEEDED} or more "
                "(Service Quotas, Lambda, Concurrent executions)"
            )
        return f"account concurrency: {limit}"

    def reserved(self):
        reserved, limit = self.reservations(), self.limit()
        if reserved:
            return f"reserved concurrency: {shown(reserved)}"
        advice = recommended(limit)
        if not advice:
            return f"reserved concurrency: none; an account with {limit} is too small to reserve any"
        return f"reserved concurrency: none, so a flood of one kind of call stops the others; recommended here: {shown(advice)}"

    def concurrency_alarm(self):
        limit = self.limit()
        if not self.settings["known"]:
            return f"alarm of concurrency: answer {limit} for AccountConcurrency"
        given = int(self.parameters()["AccountConcurrency"])
        if given > limit:
            raise Problem(
                f"alarm of concurrency: it starts at 80 % of AccountConcurrency, which is {given}, and the account allows {limit}: it may "
                f"never start. Set AccountConcurrency={limit} in parameter_overrides of samconfig.toml"
            )
        if given < limit:
            return f"alarm of concurrency: it starts at 80 % of {given}, but the account allows {limit}: set AccountConcurrency={limit}"
        return f"alarm of concurrency: at 80 % of {given}"

    def rollout(self):
        rollout = self.parameters().get("Rollout")
        if self.described is None or rollout == "AllAtOnce":
            return f"rollout: {rollout}"
        preference = yaml_parse((ROOT / "template.yaml").read_text())["Globals"]["Function"]["DeploymentPreference"]
        names = [alarm["Fn::Sub"].replace("${AWS::StackName}", self.stack) for alarm in preference["Alarms"]]
        found = self.client("cloudwatch").describe_alarms(AlarmNames=names, StateValue="ALARM")["MetricAlarms"]
        if found:
            raise Problem(
                f"rollout: {', '.join(alarm['AlarmName'] for alarm in found)} is on, so CodeDeploy would refuse to begin. If this deployment "
                "is to mend that, set Rollout=AllAtOnce in parameter_overrides of samconfig.toml, and take it back with the next one"
            )
        return f"rollout: {rollout}, and none of its alarms is on"

    def alarms(self):
        email = self.parameters().get("AlarmEmail")
        if not email:
            raise Concern("alarms: nobody is told (AlarmEmail is empty)")
        topic = self.outputs().get("AlarmTopicArn") if self.described else None
        if not topic or self.deployed_parameters().get("AlarmEmail") != email:
            return f"alarms: {email} is told, once the confirmation that AWS mails there is clicked, within 48 hours"
        pages = self.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        found = [one["SubscriptionArn"] for page in pages for one in page["Subscriptions"] if one["Endpoint"].lower() == email.lower()]
        if any(arn.startswith("arn:") for arn in found):
            return f"alarms: {email} is told"
        # CloudFormation takes the subscription for one that is there, and does not make it again.
        again = f"`aws sns subscribe --region {self.region} --topic-arn {topic} --protocol email --notification-endpoint {email}`"
        if "PendingConfirmation" in found:
            raise Concern(f"alarms: {email} is NOT told: click the confirmation that AWS has mailed there, or have it mailed again: {again}")
        raise Concern(f"alarms: {email} is NOT told: AWS has deleted the subscription, as it does after 48 hours. {again}, and confirm it")

    def domain(self):
        parameters = self.parameters()
        name = parameters.get("DomainName")
        if not name:
            if parameters.get("PublicUrl"):
                return f"domain: {parameters['PublicUrl']}, which you point at the stack; passkeys made there do not move to another host"
            return "domain: none, API Gateway's own name; passkeys made there do not move to a domain later"
        arn = parameters.get("CertificateArn", "")
        if f":acm:{self.region}:" not in arn:
            raise Problem(f"domain {name}: the certificate must be in {self.region}")
        certificate = self.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
        names = [certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])]
        parent = "*." + name.partition(".")[2]
        if name not in names and parent not in names:
            raise Problem(f"domain {name}: the certificate is for {', '.join(names)}")
        if certificate["Status"] != "ISSUED":
            raise Problem(f"domain {name}: the certificate is {certificate['Status']}, not ISSUED")
        zone = parameters.get("HostedZoneId")
        if zone:
            zone_name = self.client("route53").get_hosted_zone(Id=zone)["HostedZone"]["Name"].rstrip(".")
            if name != zone_name and not name.endswith("." + zone_name):
                raise Problem(f"domain {name}: zone {zone} is {zone_name}")
        return f"domain: {name}, certificate issued"

    def edge(self):
        parameters = self.parameters()
        if not parameters.get("EdgeCertificateArn"):
            return "edge: not the stack's own, so its secret is not looked at" if parameters.get("EdgeSecretSha256") else "edge: none"
        url = parameters.get("PublicUrl", "")
        if ":" in url.removeprefix("https://"):
            raise Problem(f"edge: PublicUrl is {url}, but CloudFront answers on port 443 only")
        arn = self.outputs().get("EdgeSecretArn") if self.described else None
        if arn:
            sent, known = self.edge_secret(arn), parameters.get("EdgeSecretSha256", "")
            if sent not in known.split(","):
                raise Concern(
                    f"edge: the functions do not know the secret that it sends, so that all callers count as one address. Set "
                    f"EdgeSecretSha256={','.join([*known.split(',')[-1:], sent]).lstrip(',')} in parameter_overrides of samconfig.toml"
                )
        return f"edge: CloudFront and a firewall at {url}"

    def edge_secret(self, arn):
        """The SHA-256, in hex, of the secret that the edge sends after this deployment."""
        version = self.parameters().get("EdgeSecretVersion")
        secret = self.client("secretsmanager").get_secret_value(SecretId=arn, **({"VersionId": version} if version else {}))
        return hashlib.sha256(json.loads(secret["SecretString"])["edge_secret"].encode()).hexdigest()

    def provider_key(self):
        if self.described is None:
            return "provider key: the stack makes its secret; you put the key there after the first deployment"
        if any(secret.get("relay_api_key") for _, secret in self.secrets()):
            return "provider key: set"
        return f"provider key: empty, so the provider's limits for everybody apply (cargo xtask put-secret {self.env} relay_api_key)"


def shown(reserved):
    return ", ".join(f"{name}Concurrency={value}" for name, value in reserved.items())


def main(words):
    match words:
        case [env, "first"]:
            return Preflight(env).run(is_first=True)
        case [env, *pairs] if len(pairs) % 2 == 0 and set(pairs[::2]) <= {"--change"} and set(pairs[1::2]) <= set(NAMED):
            return Preflight(env, pairs[1::2]).run(is_first=False)
        case _:
            raise Problem(__doc__)


if __name__ == "__main__":
    run(main)
