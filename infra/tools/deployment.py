"""What `cargo xtask deploy` and its sisters ask of AWS. Runs in the environment of the SAM CLI, which brings boto3 and tomlkit.

    deployment.py preflight ENV         checks the account, the domain and the provider's key; exits 1 if a deployment must fail
    deployment.py url ENV               prints the public URL of the deployed stack
    deployment.py put-secret ENV NAME   sets one field of one of the stack's secrets, read from standard input
    deployment.py retained ENV          prints what `sam delete` leaves, as JSON: the table and the secrets
    deployment.py delete-retained ENV   deletes what that JSON, on standard input, names
"""

import json
import sys
from pathlib import Path

import boto3
import tomlkit
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parents[2]
# Calls that wait for a seller hold one execution each. A new account may have as few as 10.
CONCURRENCY_NEEDED = 100
# Secrets that were deleted can be restored for this long. They are not billed.
RECOVERY_DAYS = 7
# What the operator may put into a secret.
SETTABLE = ("relay_api_key", "evm_rpc_url")


class Problem(Exception):
    """Why a deployment cannot go on."""


def settings(env):
    """The answers that `sam deploy --guided` saved for an environment: stack, region, parameters."""
    config = tomlkit.parse((ROOT / "samconfig.toml").read_text()).unwrap()
    saved = config.get(env, {}).get("deploy", {}).get("parameters", {})
    overrides = saved.get("parameter_overrides", "")
    words = overrides.split() if isinstance(overrides, str) else overrides
    parameters = {}
    for word in words:
        name, _, value = word.partition("=")
        parameters[name] = value.strip('"')
    return {
        "stack": saved.get("stack_name", f"crochet-{env}"),
        "region": saved.get("region") or boto3.session.Session().region_name,
        "parameters": parameters,
    }


class Deployment:
    def __init__(self, env):
        self.settings = settings(env)
        self.stack, self.region = self.settings["stack"], self.settings["region"]
        if not self.region:
            raise Problem("no region: set AWS_REGION, or run `aws configure`")
        self.aws = boto3.session.Session(region_name=self.region)

    def client(self, service):
        return self.aws.client(service)

    def described(self):
        """The stack, or None if it does not exist."""
        try:
            return self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def outputs(self):
        stack = self.described()
        if stack is None:
            raise Problem(f"there is no stack {self.stack} in {self.region}")
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def secrets(self):
        """The stack's own secrets, which its outputs name: pairs of ARN and JSON."""
        client = self.client("secretsmanager")
        for name, arn in self.outputs().items():
            if name.endswith("SecretArn"):
                yield arn, json.loads(client.get_secret_value(SecretId=arn)["SecretString"])

    # Preflight

    def preflight(self):
        checks = [self.credentials, self.concurrency, self.domain, self.provider_key]
        failed = False
        for check in checks:
            try:
                print(f"  ok      {check()}")
            except Problem as problem:
                failed = True
                print(f"  FAILED  {problem}")
            except (BotoCoreError, ClientError) as error:
                failed = True
                print(f"  FAILED  {check.__name__.replace('_', ' ')}: {error}")
                if check == self.credentials:
                    break
        return not failed

    def credentials(self):
        caller = self.client("sts").get_caller_identity()
        return f"credentials: {caller['Arn']}, region {self.region}, stack {self.stack}"

    def concurrency(self):
        limit = self.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
        of = self.settings["parameters"]
        reserved = sum(int(of.get(f"{name}Concurrency") or 0) for name in ("Gateway", "Catalog", "Snapshot"))
        if reserved and limit - reserved < 100:
            raise Problem(f"account concurrency {limit}: AWS keeps 100 unreserved, so reserving {reserved} is too much")
        if limit < CONCURRENCY_NEEDED:
            raise Problem(
                f"account concurrency {limit}: one slow seller would fill it; ask for {CONCURRENCY_NEEDED} or more "
                "(Service Quotas, Lambda, Concurrent executions)"
            )
        return f"account concurrency: {limit}"

    def domain(self):
        name = self.settings["parameters"].get("DomainName")
        if not name:
            return "domain: none, API Gateway's own name; passkeys made there do not move to a domain later"
        arn = self.settings["parameters"].get("CertificateArn", "")
        if f":acm:{self.region}:" not in arn:
            raise Problem(f"domain {name}: the certificate must be in {self.region}")
        certificate = self.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
        names = [certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])]
        parent = "*." + name.partition(".")[2]
        if name not in names and parent not in names:
            raise Problem(f"domain {name}: the certificate is for {', '.join(names)}")
        if certificate["Status"] != "ISSUED":
            raise Problem(f"domain {name}: the certificate is {certificate['Status']}, not ISSUED")
        zone = self.settings["parameters"].get("HostedZoneId")
        if zone:
            zone_name = self.client("route53").get_hosted_zone(Id=zone)["HostedZone"]["Name"].rstrip(".")
            if name != zone_name and not name.endswith("." + zone_name):
                raise Problem(f"domain {name}: zone {zone} is {zone_name}")
        return f"domain: {name}, certificate issued"

    def provider_key(self):
        if self.described() is None:
            return "provider key: the stack makes its secret; you put the key there after the first deployment"
        if any(secret.get("relay_api_key") for _, secret in self.secrets()):
            return "provider key: set"
        return "provider key: empty, so the provider's limits for everybody apply (cargo xtask put-secret ENV relay_api_key)"

    # Secrets

    def put_secret(self, name):
        value = sys.stdin.readline().strip()
        if not value:
            raise Problem(f"no value for {name} on standard input")
        for arn, secret in self.secrets():
            # Our own keys are replaced by `crochet-admin rotate-keys`, which leaves the ones before in use.
            if name in SETTABLE and name in secret:
                if f"previous_{name}" in secret and secret[name] != value:
                    secret[f"previous_{name}"] = secret[name]
                secret[name] = value
                self.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=json.dumps(secret))
                return
        raise Problem(f"no secret of {self.stack} has a field {name}")

    # What outlives the stack

    def retained(self):
        """To be asked before the stack is gone."""
        outputs = self.outputs()
        return {
            "table": outputs["TableName"],
            "secrets": [arn for arn, _ in self.secrets()],
            "prefix": outputs["SecretPrefix"],
        }

    def delete_retained(self, retained):
        table, dynamodb = retained["table"], self.client("dynamodb")
        try:
            dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
            dynamodb.get_waiter("table_exists").wait(TableName=table)
            dynamodb.delete_table(TableName=table)
            print(f"deleted table {table}; DynamoDB keeps a backup of it for 35 days, without charge")
        except dynamodb.exceptions.ResourceNotFoundException:
            print(f"table {table} is gone already")
        secrets = self.client("secretsmanager")
        pages = secrets.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [retained["prefix"]]}])
        found = [secret["ARN"] for page in pages for secret in page["SecretList"] if secret["Name"].startswith(retained["prefix"])]
        for arn in [*retained["secrets"], *found]:
            try:
                secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=RECOVERY_DAYS)
            except secrets.exceptions.ResourceNotFoundException:
                pass
        print(f"scheduled {len(retained['secrets']) + len(found)} secrets for deletion in {RECOVERY_DAYS} days, without charge")


def main(words):
    match words:
        case ["preflight", env]:
            return Deployment(env).preflight()
        case ["url", env]:
            print(Deployment(env).outputs()["PublicUrl"])
        case ["put-secret", env, name]:
            Deployment(env).put_secret(name)
        case ["retained", env]:
            deployment = Deployment(env)
            print(json.dumps(deployment.retained() | {"stack": deployment.stack, "region": deployment.region}))
        case ["delete-retained", env]:
            Deployment(env).delete_retained(json.load(sys.stdin))
        case _:
            raise Problem(__doc__)
    return True


if __name__ == "__main__":
    try:
        sys.exit(0 if main(sys.argv[1:]) else 1)
    except (Problem, BotoCoreError, ClientError) as problem:
        sys.exit(f"{problem}")
