"""What a deployment would change in a stack that exists: its parameters, the rights of its functions, and the table that it works at."""

import json

from samcli.yamlhelper import yaml_parse

from deployment import ROOT, Concern, Deployment, Problem
from rights import lost

# What changes only if the operator names it, and what the change does.
NAMED = {
    "ExistingTableName": "the market would work at another table; without a name, at the stack's own, or at a new and empty one",
    "FeeWallet": "the marketplace's fees would go to another wallet",
    "PublicUrl": "passkeys and signed messages are bound to the host",
    "DomainName": "passkeys and signed messages are bound to the host",
    "EdgeCertificateArn": "without it, CloudFront goes, and with it what PublicUrl points at",
}
# Lines of a list that are printed.
SHOWN = 12


class Changes(Deployment):
    """Checks of a preflight. `allowed` are the parameters that the operator has named."""

    def __init__(self, env, allowed=()):
        super().__init__(env)
        self.allowed = set(allowed)

    def changed_parameters(self):
        """Saved answers that differ from what the stack has: name, deployed value, and saved value of each."""
        saved, deployed = self.settings["parameters"], self.deployed_parameters()
        return [(name, deployed[name], saved[name]) for name in sorted(saved) if saved[name] != deployed.get(name, saved[name])]

    def parameter_changes(self):
        changed = self.changed_parameters()
        told = "; ".join(f"{name} from {quoted(old)} to {quoted(new)}" for name, old, new in changed)
        # An edge may be added, or its certificate replaced.
        kept = {name for name, _, new in changed if name == "EdgeCertificateArn" and new}
        if refused := [name for name, _, _ in changed if name in NAMED and name not in self.allowed | kept]:
            raise Problem(
                f"parameters: samconfig.toml changes {told}. "
                + "; ".join(f"{name}: {NAMED[name]}" for name in refused)
                + ". After a step back in time, the file may be an old one: take the last with `git checkout BRANCH -- samconfig.toml`. "
                f"If you mean it: `cargo xtask deploy {self.env} {' '.join(f'--change {name}' for name in refused)}`"
            )
        if changed:
            raise Concern(f"parameters: samconfig.toml changes {told}")
        return "parameters: as deployed" if self.described else "parameters: of a new stack"

    def rights(self):
        if self.described is None:
            return "rights: of a new stack"
        deployed = self.client("cloudformation").get_template(StackName=self.stack, TemplateStage="Original")["TemplateBody"]
        deployed = yaml_parse(deployed) if isinstance(deployed, str) else deployed
        lines = lost(deployed, yaml_parse((ROOT / "template.yaml").read_text()))
        if not lines:
            return "rights: no function loses any"
        more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        if self.parameters().get("Rollout") == "AllAtOnce":
            way = "The versions that run now lack them for the minute until callers have moved"
        else:
            way = (
                "Both versions share a role, which loses them at once, while the version before still answers most requests: if it uses "
                "them, those fail. Deploy twice: first the code, with the rights kept; then without them. Or set Rollout=AllAtOnce, "
                "which leaves the version before without them for a minute"
            )
        raise Concern("rights: functions lose " + "; ".join([*lines[:SHOWN], *more]) + ". " + way)

    def table(self):
        """A table that was not made by the stack must be like one that was."""
        name = self.parameters().get("ExistingTableName")
        if not name:
            return "table: the stack's own"
        dynamodb = self.client("dynamodb")
        try:
            table = dynamodb.describe_table(TableName=name)["Table"]
        except dynamodb.exceptions.ResourceNotFoundException:
            raise Problem(f"table {name}: there is none of this name in {self.region}") from None
        problems = different(table)
        if table["TableStatus"] in ("ACTIVE", "UPDATING"):
            ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
            backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
            problems += unprotected(name, table, ttl, backups)
        if not problems:
            return f"table: {name}, with its indexes, expiry, recovery and protection"
        told = f"table {name}: " + "; ".join(problems)
        # A table that is in use already must not keep a defect from being mended.
        raise Concern(told) if name == self.deployed_parameters().get("ExistingTableName") else Problem(told)


def different(table):
    """How a table differs from the one that the template makes."""
    wanted = json.loads((ROOT / "infra/table.json").read_text())
    problems = []
    if table["TableStatus"] != "ACTIVE":
        problems.append(f"it is {table['TableStatus']}, not ACTIVE: wait")
    if keys(table) != keys(wanted):
        problems.append(f"its key is {keys(table)}, not {keys(wanted)}")
    indexes = {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}
    for index in wanted["GlobalSecondaryIndexes"]:
        name = index["IndexName"]
        if name not in indexes:
            problems.append(f"it has no index {name}: restore it with its indexes")
        elif keys(indexes[name]) != keys(index):
            problems.append(f"the key of its index {name} is {keys(indexes[name])}, not {keys(index)}")
        elif indexes[name]["IndexStatus"] != "ACTIVE":
            problems.append(f"its index {name} is {indexes[name]['IndexStatus']}, not ACTIVE: wait")
    return problems


def unprotected(name, table, ttl, backups):
    """What a restored table does not bring along, each with the command that sets it."""
    of, problems = f"--table-name {name}", []
    if ttl.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING") or ttl.get("AttributeName") != "ttl":
        problems.append(
            f"nothing expires: `aws dynamodb update-time-to-live {of} --time-to-live-specification Enabled=true,AttributeName=ttl`"
        )
    if backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") != "ENABLED":
        problems.append(
            f"it cannot be restored: `aws dynamodb update-continuous-backups {of} "
            "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true`"
        )
    if not table.get("DeletionProtectionEnabled"):
        problems.append(f"it can be deleted: `aws dynamodb update-table {of} --deletion-protection-enabled`")
    return problems


def keys(of):
    return [key["AttributeName"] for key in of["KeySchema"]]


def quoted(value):
    return value or '""'
