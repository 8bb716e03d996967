// Verifies one request with the stock Standard Webhooks library.
//
// Reads {"secret", "headers", "body"} and prints {"verified": true or false}. NODE_MODULES is where the library is.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { Webhook, WebhookVerificationError } = createRequire(`${process.env.NODE_MODULES}/`)("standardwebhooks");
const request = JSON.parse(readFileSync(0, "utf8"));
let verified = true;
try {
  new Webhook(request.secret).verify(request.body, request.headers);
} catch (error) {
  if (!(error instanceof WebhookVerificationError)) throw error;
  verified = false;
}
console.log(JSON.stringify({ verified }));
