// Makes one paid call with the types that openapi-typescript made of the document, through openapi-fetch.
//
// Reads {base, sandbox, api_key, listing, body} and prints {steps, request_id, charged_micros, seller_response, error}.

import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

interface Input {
  base: string;
  sandbox: string;
  api_key: string;
  listing: string;
  body: unknown;
}

const input = JSON.parse(readFileSync(0, "utf8")) as Input;
const client = createClient<paths>({ baseUrl: input.base, headers: { Authorization: `Bearer ${input.api_key}` } });

function call(listing: string, payment?: string) {
  const header = { "X-Crochet-Origin-Currency": "SOL", "X-Crochet-Relay-Request-Id": payment } as const;
  return client.POST("/api/v1/gateway/{listing_id}", { params: { path: { listing_id: listing }, header }, body: input.body });
}

const first = await call(input.listing);
if (!first.error || !("data" in first.error)) throw new Error("the first reply is no 402");
const payment = first.error.data.payment;
if (!("pay_from" in payment) || !payment.requirements) throw new Error("nothing was quoted");
const steps: components["schemas"]["PaymentStep"][] = payment.requirements.steps;
const programs = steps.flatMap((step) => step.items.flatMap((item) => item.data.instructions ?? [])).map((one) => one.programId);
if (programs.length === 0) throw new Error("the steps have no instructions");

await fetch(`${input.sandbox}/sandbox/requests/${payment.relay_request_id}`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ status: "success" }),
});

const paid = await call(input.listing, payment.relay_request_id);
if (!paid.data || !("seller_response" in paid.data.data)) throw new Error(`not delivered: ${JSON.stringify(paid.error)}`);
const missing = await call("no-such-listing");
if (!missing.error) throw new Error("a listing that does not exist was called");
console.log(
  JSON.stringify({
    steps: steps.length,
    request_id: paid.data.data.request_id,
    charged_micros: paid.data.data.charged_amount.amount_micros,
    seller_response: paid.data.data.seller_response,
    error: missing.error.error.code,
  }),
);
