"""What a function may do at the table and with secrets, as templates say it, and what it loses from one to the next."""

import json


def listed(value):
    return value if isinstance(value, list) else [value]


def shown(resource):
    """A resource in short: the table, an index, or the name of what it refers to."""
    if isinstance(resource, dict):
        [(function, of)] = resource.items()
        of = of if isinstance(of, str) else ".".join(of) if function == "Fn::GetAtt" else str(of)
    else:
        of = str(resource)
    return of.replace("${TableArn.Value}", "table").replace("TableArn.Value", "table").rpartition(":")[2]


class Statement:
    """A statement of a function's policy."""

    def __init__(self, statement):
        self.actions = listed(statement["Action"])
        self.resources = {json.dumps(resource, sort_keys=True): shown(resource) for resource in listed(statement["Resource"])}
        said = {key: listed(values) for conditions in statement.get("Condition", {}).values() for key, values in conditions.items()}
        self.keys = said.get("dynamodb:LeadingKeys", ["*"])
        # None: all of them.
        self.attributes = set(said["dynamodb:Attributes"]) if "dynamodb:Attributes" in said else None

    def covers(self, action, resource, key):
        return action in self.actions and resource in self.resources and any(is_within(key, pattern) for pattern in self.keys)

    def lacks(self, attributes):
        """Which of these attributes it does not allow. Of all of them, it lacks all but its own."""
        if self.attributes is None:
            return set()
        return {"any attribute"} if attributes is None else attributes - self.attributes


def is_within(key, pattern):
    """Whether a pattern of leading keys allows all that another one does. Both may end with an asterisk."""
    return key == pattern or (pattern.endswith("*") and key.rstrip("*").startswith(pattern[:-1]))


def statements(template):
    """The statements of each function, by what they do: pairs of the allowing and the denying ones."""
    found = {}
    for name, resource in template["Resources"].items():
        if resource.get("Type") == "AWS::Serverless::Function":
            policies = listed(resource.get("Properties", {}).get("Policies", []))
            said = [one for policy in policies if isinstance(policy, dict) for one in listed(policy.get("Statement", []))]
            found[name] = [[one for one in said if one["Effect"] == effect] for effect in ("Allow", "Deny")]
    return found


def lost(before, after):
    """What functions of the template `before` may do, and those of the same name in `after` may not: one line for each right.

    An action on one leading key, or attributes of it, is a right. A function that is in one template only has nothing to lose.
    """
    lines, now = [], statements(after)
    for function, (allowed, denied) in statements(before).items():
        if function not in now:
            continue
        allowing, denying = now[function]
        allowing = [Statement(one) for one in allowing]
        for old in map(Statement, allowed):
            for action in old.actions:
                for resource, name in old.resources.items():
                    for key in old.keys:
                        covering = [one for one in allowing if one.covers(action, resource, key)]
                        right = f"{function}: {action} {name}" + (f" {key}" if key != "*" else "")
                        if not covering:
                            lines.append(right)
                            continue
                        lacking = min((one.lacks(old.attributes) for one in covering), key=len)
                        lines += [f"{right} [{attribute}]" for attribute in sorted(lacking)]
        lines += [f"{function}: what is denied now: {one.get('Sid', one)}" for one in denying if one not in denied]
    return list(dict.fromkeys(lines))
