"""Makes one paid call with the Python client that openapi-generator made of the document.

Reads {base, sandbox, api_key, listing, body} and prints {steps, request_id, charged_micros, seller_response, error}.
"""

import json
import sys
import urllib.request

from crochet_api import ApiClient, ApiException, Configuration, OriginCurrency, PaymentOffer
from crochet_api.api.gateway_and_payments_api import GatewayAndPaymentsApi

given = json.load(sys.stdin)
api = GatewayAndPaymentsApi(ApiClient(Configuration(host=given["base"], access_token=given["api_key"])))


def call(listing, payment=None):
    return api.call_listing(
        listing,
        body=given["body"],
        x_crochet_origin_currency=OriginCurrency.ORIGIN_CURRENCY_SOL,
        x_crochet_relay_request_id=payment,
    )


def refused(listing):
    try:
        call(listing)
    except ApiException as error:
        return error
    raise AssertionError("the call was not refused")


offer = refused(given["listing"]).data.data.payment.actual_instance
assert isinstance(offer, PaymentOffer), offer
steps = offer.requirements.steps
assert steps[0].items[0].data.instructions, steps
pay = urllib.request.Request(
    f"{given['sandbox']}/sandbox/requests/{offer.relay_request_id}",
    data=json.dumps({"status": "success"}).encode(),
    headers={"content-type": "application/json"},
)
urllib.request.urlopen(pay).close()
paid = call(given["listing"], offer.relay_request_id)
print(
    json.dumps(
        {
            "steps": len(steps),
            "request_id": paid.data.request_id,
            "charged_micros": paid.data.charged_amount.amount_micros,
            "seller_response": paid.data.seller_response,
            "error": refused("no-such-listing").data.error.code,
        }
    )
)
