"""What `cargo xtask deploy` and its sisters ask of AWS. Runs in the environment of the SAM CLI, which brings boto3 and tomlkit.

    deployment.py url ENV                    prints the public URL of the deployed stack
    deployment.py architecture ENV           prints the processor that the next deployment's functions run on
    deployment.py tags ENV COMMIT            prints the tags of the stack's next deployment, one a line
    deployment.py admin-env ENV              prints what the stack says about itself, as JSON: parameters, outputs, region
    deployment.py put-secret ENV NAME        sets one field of one of the stack's secrets, read from standard input
    deployment.py retained ENV FILE          writes what `sam delete` leaves into FILE, and prints it; of a stack that is gone, prints FILE
    deployment.py delete-retained ENV FILE   deletes what FILE names, and FILE
"""

import json
import shlex
import sys
import time
from functools import cache, cached_property
from pathlib import Path

import boto3
import tomlkit
from botocore.exceptions import BotoCoreError, ClientError
from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
# Secrets that were deleted can be restored for this long. They are not billed.
RECOVERY_DAYS = 7
# What the operator may put into a secret.
SETTABLE = ("relay_api_key", "evm_rpc_url")
# How long the provider's key before is used (milliseconds), as in shared/src/config/provider_secret.rs.
PREVIOUS_USED_MS = 2 * 86_400_000


class Problem(Exception):
    """Why a deployment cannot go on."""


class Concern(Exception):
    """What an operator should know before a deployment, which can go on."""


def settings(env, root=ROOT):
    """The answers that `sam deploy --guided` saved for an environment: stack, region, parameters, and whether there are any."""
    config = tomlkit.parse((root / "samconfig.toml").read_text()).unwrap()
    saved = config.get(env, {}).get("deploy", {}).get("parameters", {})
    overrides = saved.get("parameter_overrides", "")
    if isinstance(overrides, dict):
        parameters = {name: str(value) for name, value in overrides.items()}
    else:
        words = overrides if isinstance(overrides, str) else " ".join(overrides)
        parameters = {name: value for name, _, value in (word.partition("=") for word in shlex.split(words))}
    return {
        "known": bool(saved),
        "stack": saved.get("stack_name", f"crochet-{env}"),
        "region": saved.get("region") or boto3.session.Session().region_name,
        "parameters": parameters,
    }


@cache
def defaults(root=ROOT):
    """The defaults of the template's parameters."""
    parameters = yaml_parse((root / "template.yaml").read_text())["Parameters"]
    return {name: str(parameter["Default"]) for name, parameter in parameters.items() if "Default" in parameter}


class Deployment:
    def __init__(self, env):
        self.env, self.settings = env, settings(env)
        self.stack, self.region = self.settings["stack"], self.settings["region"]
        if not self.region:
            raise Problem("no region: set AWS_DEFAULT_REGION, or run `aws configure`")
        self.aws = boto3.session.Session(region_name=self.region)

    def client(self, service):
        return self.aws.client(service)

    @cached_property
    def described(self):
        """The stack, or None if it does not exist. One of which there is only a change set does not exist."""
        try:
            stack = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return None if stack["StackStatus"] == "REVIEW_IN_PROGRESS" else stack

    def existing(self):
        if self.described is None:
            raise Problem(f"there is no stack {self.stack} in {self.region}")
        return self.described

    def outputs(self):
        return {output["OutputKey"]: output["OutputValue"] for output in self.existing().get("Outputs", [])}

    def deployed_parameters(self):
        found = self.described or {}
        return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in found.get("Parameters", [])}

    def parameters(self):
        """What the next deployment uses: what was saved; if that does not say, what the stack has; at last, the template's default."""
        return defaults() | self.deployed_parameters() | self.settings["parameters"]

    def resources(self):
        """The stack's resources: logical id, type, name and status of each."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.stack)
        for page in pages:
            for found in page["StackResourceSummaries"]:
                yield found["LogicalResourceId"], found["ResourceType"], found.get("PhysicalResourceId"), found["ResourceStatus"]

    def output(self, name):
        value = self.outputs().get(name)
        if value is None:
            raise Problem(f"the stack {self.stack} has no output {name}; it is {self.existing()['StackStatus']}")
        return value

    def about(self):
        return {
            "stack": self.stack,
            "region": self.region,
            "parameters": defaults() | self.deployed_parameters(),
            "outputs": self.outputs(),
        }

    def tags(self, commit):
        """What the next deployment says about itself: its commit, and the last other one, which is the way back."""
        had = {tag["Key"]: tag["Value"] for tag in (self.described or {}).get("Tags", [])}
        deployed, before = had.get("commit"), had.get("commit-before")
        # A commit that is deployed again, with other parameters, is no way back from itself.
        before = before if deployed == commit else deployed
        return {"commit": commit} | ({"commit-before": before} if before else {})

    # Secrets

    def secrets(self):
        """The stack's own secrets, which its outputs name: pairs of ARN and JSON."""
        client = self.client("secretsmanager")
        for name, arn in self.outputs().items():
            if name.endswith("SecretArn"):
                yield arn, json.loads(client.get_secret_value(SecretId=arn)["SecretString"])

    def put_secret(self, name):
        value = sys.stdin.readline().strip()
        if not value:
            raise Problem(f"no value for {name} on standard input")
        if name == "evm_rpc_url" and not value.startswith("https://"):
            raise Problem(f"{name} must be an https URL: the functions ask no other node")
        for arn, secret in self.secrets():
            # Our own keys are replaced by `crochet-admin rotate-keys`, which leaves the ones before in use.
            if name in SETTABLE and name in secret:
                if f"previous_{name}" in secret and secret[name] != value:
                    secret[f"previous_{name}"] = secret[name]
                    secret["previous_until_ms"] = int(time.time() * 1000) + PREVIOUS_USED_MS
                secret[name] = value
                self.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=json.dumps(secret))
                return
        raise Problem(f"no secret of {self.stack} has a field {name}")

    # What outlives the stack

    def retained(self, file):
        """What the stack leaves, which is written into `file` while the stack can tell; then what `file` says."""
        noted = json.loads(file.read_text()) if file.exists() else {}
        if self.described is None:
            if not noted:
                raise Problem(f"there is no stack {self.stack} in {self.region}, and {file} does not say what one has left")
            return noted | {"gone": True}
        left = self.left()
        if noted.get("stack_id") == left["stack_id"]:
            # A deletion that did not end: the stack may have forgotten something.
            left = {name: value or noted.get(name) for name, value in left.items()}
            left["secrets"] = sorted({*left["secrets"], *noted.get("secrets", [])})
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(left, indent=1))
        return left | {"gone": False}

    def left(self):
        outputs, resources = self.outputs(), list(self.resources())
        named = {logical: name for logical, _, name, _ in resources}
        secrets = {arn for name, arn in outputs.items() if name.endswith("SecretArn")}
        secrets |= {name for _, kind, name, _ in resources if kind == "AWS::SecretsManager::Secret" and name}
        return {
            "stack": self.stack,
            "stack_id": self.existing()["StackId"],
            "region": self.region,
            "table": outputs.get("TableName") or named.get("Table"),
            "secrets": sorted(secrets),
            "prefix": outputs.get("SecretPrefix") or f"{self.stack}/listing/",
            "audit": outputs.get("AuditLogName") or named.get("AuditLog"),
            "other_tables": self.other_tables(outputs.get("TableName") or named.get("Table")),
            "edge_elsewhere": bool(self.deployed_parameters().get("EdgeSecretSha256")) and "EdgeSecretArn" not in outputs,
        }

    def other_tables(self, used):
        """Tables that the stack has made and no longer uses, such as the one before a restore. They are protected, and billed."""
        pages = self.client("dynamodb").get_paginator("list_tables").paginate()
        names = [name for page in pages for name in page["TableNames"]]
        return [name for name in names if name.startswith(f"{self.stack}-Table-") and name != used]

    def delete_retained(self, file):
        """Deletes all of it. What is gone already is no error, so that this can be repeated."""
        left = json.loads(file.read_text())
        if left.get("table"):
            print(self.delete_table(left["table"]))
        print(self.delete_secrets(left["secrets"], left["prefix"]))
        if left.get("audit"):
            print(self.delete_log(left["audit"]))
        file.unlink()

    def delete_table(self, table):
        dynamodb = self.client("dynamodb")
        try:
            if dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] != "DELETING":
                dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
                dynamodb.get_waiter("table_exists").wait(TableName=table)
                dynamodb.delete_table(TableName=table)
        except dynamodb.exceptions.ResourceNotFoundException:
            return f"table {table} is gone already"
        return f"deleted table {table}; DynamoDB keeps a backup of it for 35 days, without charge"

    def delete_secrets(self, own, prefix):
        client = self.client("secretsmanager")
        pages = client.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [prefix]}])
        found = [secret["ARN"] for page in pages for secret in page["SecretList"] if secret["Name"].startswith(prefix)]
        scheduled = 0
        for arn in dict.fromkeys([*own, *found]):
            try:
                client.delete_secret(SecretId=arn, RecoveryWindowInDays=RECOVERY_DAYS)
                scheduled += 1
            except client.exceptions.ResourceNotFoundException:
                pass
            except client.exceptions.InvalidRequestException as error:
                # Marked for deletion already.
                if "deletion" not in str(error):
                    raise
        return f"scheduled {scheduled} secrets for deletion in {RECOVERY_DAYS} days, without charge"

    def delete_log(self, group):
        logs = self.client("logs")
        try:
            logs.delete_log_group(logGroupName=group)
        except logs.exceptions.ResourceNotFoundException:
            return f"audit trail {group} is gone already"
        return f"deleted audit trail {group}"


def main(words):
    match words:
        case ["url", env]:
            print(Deployment(env).output("PublicUrl"))
        case ["architecture", env]:
            print(Deployment(env).parameters()["Architecture"])
        case ["tags", env, commit]:
            print("\n".join(f"{name}={value}" for name, value in Deployment(env).tags(commit).items()))
        case ["admin-env", env]:
            print(json.dumps(Deployment(env).about()))
        case ["put-secret", env, name]:
            Deployment(env).put_secret(name)
        case ["retained", env, file]:
            print(json.dumps(Deployment(env).retained(Path(file))))
        case ["delete-retained", env, file]:
            Deployment(env).delete_retained(Path(file))
        case _:
            raise Problem(__doc__)
    return True


def run(main):
    """Runs a program. It exits 1 where `main` returns False, and says what went wrong where it raises."""
    try:
        sys.exit(0 if main(sys.argv[1:]) else 1)
    except (Problem, BotoCoreError, ClientError) as problem:
        sys.exit(f"{problem}")


if __name__ == "__main__":
    run(main)
