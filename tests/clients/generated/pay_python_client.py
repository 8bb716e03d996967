"""Makes one paid call with the client that openapi-python-client made of the document.

Reads {base, sandbox, api_key, listing, body} and prints {steps, request_id, charged_micros, seller_response, error}.
"""

import json
import sys

import httpx
from crochet_client import AuthenticatedClient
from crochet_client.api.gateway_and_payments import call_listing
from crochet_client.models import DeliveredEnvelope, OriginCurrency, PaymentOffer, PaymentRequiredEnvelope
from crochet_client.types import UNSET

given = json.load(sys.stdin)
client = AuthenticatedClient(base_url=given["base"], token=given["api_key"])


def call(listing, payment=UNSET):
    return call_listing.sync(
        listing,
        client=client,
        body=given["body"],
        x_crochet_origin_currency=OriginCurrency.ORIGIN_CURRENCY_SOL,
        x_crochet_relay_request_id=payment,
    )


first = call(given["listing"])
assert isinstance(first, PaymentRequiredEnvelope), first
offer = first.data.payment
assert isinstance(offer, PaymentOffer), offer
steps = offer.requirements.steps
assert steps[0].items[0].data.instructions, steps
httpx.post(f"{given['sandbox']}/sandbox/requests/{offer.relay_request_id}", json={"status": "success"}).raise_for_status()
paid = call(given["listing"], offer.relay_request_id)
assert isinstance(paid, DeliveredEnvelope), paid
missing = call("no-such-listing")
print(
    json.dumps(
        {
            "steps": len(steps),
            "request_id": paid.data.request_id,
            "charged_micros": paid.data.charged_amount.amount_micros,
            "seller_response": paid.data.seller_response,
            "error": missing.error.code,
        }
    )
)
