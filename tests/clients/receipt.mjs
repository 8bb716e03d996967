// Verifies one receipt with a stock JOSE library.
//
// Reads {"jws", "jwks"} and prints {"claims": the claims, or null if the receipt does not verify}. NODE_MODULES is where the library is.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const library = pathToFileURL(`${process.env.NODE_MODULES}/jose/dist/webapi/index.js`);
const { compactVerify, createLocalJWKSet, errors } = await import(library.href);
const request = JSON.parse(readFileSync(0, "utf8"));
let claims = null;
try {
  const { payload } = await compactVerify(request.jws, createLocalJWKSet(request.jwks), { algorithms: ["ES256"] });
  claims = JSON.parse(new TextDecoder().decode(payload));
} catch (error) {
  if (!(error instanceof errors.JOSEError)) throw error;
}
console.log(JSON.stringify({ claims }));
