"""A stack that answers as AWS would, for tests."""

import sys
from pathlib import Path

import boto3
from botocore.stub import Stubber

TOOLS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOOLS))

REGION = "eu-west-1"


def stack(kind, saved=None, deployed=None, outputs=None, tags=None, answers=(), **more):
    """A deployment, of this class, that is made without samconfig.toml and AWS.

    `saved` are the answers in samconfig.toml; `deployed` the parameters of the stack, None if there is no stack; `answers` what AWS says,
    in this order: service, operation, the reply, or the code of an error, and perhaps what must be asked.
    """
    made = kind.__new__(kind)
    made.env, made.stack, made.region = "prod", "crochet-prod", REGION
    made.settings = {"known": saved is not None, "stack": made.stack, "region": REGION, "parameters": saved or {}}
    made.described = None
    if deployed is not None:
        made.described = {
            "StackId": "id",
            "StackStatus": "UPDATE_COMPLETE",
            "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in deployed.items()],
            "Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in (outputs or {}).items()],
            "Tags": [{"Key": name, "Value": value} for name, value in (tags or {}).items()],
        }
    session = boto3.session.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name=REGION)
    clients = {}
    for service, operation, reply, *asked in answers:
        if service not in clients:
            client = session.client(service)
            clients[service] = client, Stubber(client)
            clients[service][1].activate()
        if isinstance(reply, str):
            clients[service][1].add_client_error(operation, reply)
        else:
            clients[service][1].add_response(operation, reply, *asked)
    made.client = lambda service: clients[service][0]
    for name, value in more.items():
        setattr(made, name, value)
    return made
