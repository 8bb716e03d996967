"""Verifies one request with the stock Standard Webhooks library.

Reads {"secret", "headers", "body"} and prints {"verified": true or false}.
"""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError

request = json.load(sys.stdin)
try:
    Webhook(request["secret"]).verify(request["body"].encode(), request["headers"])
    verified = True
except WebhookVerificationError:
    verified = False
print(json.dumps({"verified": verified}))
