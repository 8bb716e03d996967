// A page of another origin registers a wallet, browses, and makes a free call, with `fetch` alone.
//
// Reads {"base", "chromium", "query"} and prints what the page saw. NODE_MODULES is where playwright-core is.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { chromium } = createRequire(`${process.env.NODE_MODULES}/`)("playwright-core");
const { base, chromium: executablePath, query } = JSON.parse(readFileSync(0, "utf8"));

const page_url = "https://page.example/";

// What the page does. It runs in the browser.
const in_page = async ([base, query]) => {
  const api = `${base}/api/v1`;
  const call = async (method, path, body, headers = {}) => {
    const response = await fetch(`${api}${path}`, {
      method,
      headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: response.status, id: response.headers.get("x-request-id"), ...(await response.json()) };
  };
  const base58 = (bytes) => {
    const letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let number = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
    let text = "";
    for (; number > 0n; number /= 58n) text = letters[Number(number % 58n)] + text;
    return bytes.slice(0, bytes.findIndex((byte) => byte !== 0)).reduce((zeros) => `1${zeros}`, "") + text;
  };
  const solve = async ({ challenge, difficulty }) => {
    for (let nonce = 0; ; nonce++) {
      const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(challenge + nonce));
      const hex = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      if (hex.startsWith("0".repeat(difficulty))) return String(nonce);
    }
  };
  const seen = { origin: location.origin };

  const keys = await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"]);
  const wallet_address = base58([...new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey))]);
  const { data: challenge } = await call("POST", "/auth/challenge", { wallet_address });
  const message = new TextEncoder().encode(challenge.message);
  const signature = base58([...new Uint8Array(await crypto.subtle.sign("Ed25519", keys.privateKey, message))]);
  const proof = { wallet_address, signature, nonce: challenge.nonce, pow_nonce: await solve(challenge.pow) };
  const registered = await call("POST", "/register", { ...proof, display_name: "A page" });
  seen.registered = registered.status;
  const authorization = registered.data.authorization_header;

  const found = await call("GET", `/listings?q=${encodeURIComponent(query)}`);
  seen.found = found.data.listings.length;
  seen.request_id = (found.id ?? "").startsWith("req_");
  const listing = found.data.listings[0].id;
  const answer = await call("POST", `/gateway/${listing}`, { from: "a page" }, { authorization, "idempotency-key": "page-1" });
  seen.called = { status: answer.status, echo: answer.data?.seller_response?.echo ?? null };
  const refused = await call("GET", "/me");
  seen.refused = { status: refused.status, code: refused.error.code };
  const path = await call("GET", "/listing");
  seen.suggested = path.error.details.path;
  seen.me = (await call("GET", "/me", undefined, { authorization })).data.profile.display_name;
  // What a session opens is closed to pages of others.
  seen.session = await fetch(`${api}/session`, { credentials: "include" }).then(() => "read", () => "hidden");
  return seen;
};

const args = ["--no-sandbox", "--disable-gpu", "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests"];
const browser = await chromium.launch({ executablePath, args });
try {
  const context = await browser.newContext();
  await context.route(page_url, (route) => route.fulfill({ contentType: "text/html", body: "<title>page</title>" }));
  const page = await context.newPage();
  await page.goto(page_url);
  console.log(JSON.stringify(await page.evaluate(in_page, [base, query])));
} finally {
  await browser.close();
}
