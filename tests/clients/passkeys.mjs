// A real browser with a virtual authenticator signs up, logs in and is refused, through the JSON routes alone.
//
// Reads {"base", "chromium"} and prints what was seen, by scenario. NODE_MODULES is where playwright-core is.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { chromium } = createRequire(`${process.env.NODE_MODULES}/`)("playwright-core");
const { base, chromium: executablePath } = JSON.parse(readFileSync(0, "utf8"));

// Served for no other purpose than to be a page of the deployment.
const page_url = `${base}/api/v1/health`;
// The passkey's party is the host: a page on another port may use it, but is another origin.
const stranger_url = "http://localhost:1/stranger";

// What a page of the website does. It runs in the browser.
const in_page = async ([step, argument]) => {
  const send = async (method, path, body) => {
    const response = await fetch(`/api/v1${path}`, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const json = await response.json();
    return { status: response.status, code: json.error?.code ?? null, data: json.data ?? null };
  };
  const create = async (start) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(start.data.public_key);
    return (await navigator.credentials.create({ publicKey })).toJSON();
  };
  const get = async (start) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(start.data.public_key);
    return (await navigator.credentials.get({ publicKey })).toJSON();
  };
  const steps = {
    send: () => send(...argument),
    register: async () => {
      const start = await send("POST", "/auth/passkey/register/start", argument);
      const credential = await create(start);
      return send("POST", "/auth/passkey/register/finish", { ceremony_id: start.data.ceremony_id, credential });
    },
    log_in: async () => {
      const start = await send("POST", "/auth/passkey/login/start", {});
      const body = { ceremony_id: start.data.ceremony_id, credential: await get(start) };
      return { ...(await send("POST", "/auth/passkey/login/finish", body)), body };
    },
    get: () => get(argument),
    create: () => create(argument),
  };
  return steps[step]();
};

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });

// A person's own browser: its cookies, and an authenticator that does as it is told.
async function person() {
  const context = await browser.newContext();
  await context.route(stranger_url, (route) => route.fulfill({ contentType: "text/html", body: "<title>stranger</title>" }));
  const page = await context.newPage();
  await page.goto(page_url);
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const authenticator = async () => {
    const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true };
    const settings = { ...options, isUserVerified: true, automaticPresenceSimulation: true };
    return (await cdp.send("WebAuthn.addVirtualAuthenticator", { options: settings })).authenticatorId;
  };
  const first = await authenticator();
  return {
    context, page, cdp, authenticator, first,
    run: (step, argument) => page.evaluate(in_page, [step, argument]),
    send: (method, path, body) => page.evaluate(in_page, ["send", [method, path, body]]),
    override: (bits) => cdp.send("WebAuthn.setResponseOverrideBits", { authenticatorId: first, ...bits }),
  };
}

const seen = {};
const brief = ({ status, code }) => ({ status, code });
try {
  const ada = await person();

  const registered = await ada.run("register", { display_name: "Ada" });
  seen.registered = { ...brief(registered), codes: registered.data?.recovery_codes?.length ?? 0 };
  const cookie = (await ada.context.cookies()).find(({ name }) => name === "__Host-crochet");
  const { domain, path, httpOnly, secure, sameSite } = cookie ?? {};
  seen.cookie = { domain, path, httpOnly, secure, sameSite, readable: await ada.page.evaluate(() => document.cookie) };
  const session = await ada.send("GET", "/session");
  seen.session = { ...brief(session), name: session.data?.profile?.display_name ?? null };

  // Another port of this machine is the same site to the browser: the cookie is sent along, and must not count.
  await ada.page.goto(stranger_url);
  const cross = (url) => fetch(url, { method: "DELETE", mode: "cors", credentials: "include" }).then(() => "answered", () => "hidden");
  seen.stranger_reads = await ada.page.evaluate(cross, `${base}/api/v1/session?everywhere=true`);
  const form = (url) => fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body: "{}" }).then(() => "sent", () => "failed");
  seen.stranger_posts = await ada.page.evaluate(form, `${base}/api/v1/auth/passkey/recovery-codes`);
  await ada.page.goto(page_url);
  const after_stranger = await ada.send("GET", "/session");
  seen.session_after_stranger = { ...brief(after_stranger), codes_left: after_stranger.data?.session?.recovery_codes_left ?? null };

  seen.logged_out = brief(await ada.send("DELETE", "/session"));
  seen.session_after = brief(await ada.send("GET", "/session"));
  seen.logged_in = brief(await ada.run("log_in"));

  // The same answer once more: its ceremony is used up.
  const twice = await ada.run("log_in");
  seen.replayed = brief(await ada.send("POST", "/auth/passkey/login/finish", twice.body));

  // An answer to one ceremony is no answer to another.
  const other = await ada.send("POST", "/auth/passkey/login/start", {});
  const moved = { ...twice.body, ceremony_id: other.data.ceremony_id };
  seen.moved = brief(await ada.send("POST", "/auth/passkey/login/finish", moved));

  for (const [name, bits] of Object.entries({
    bogus_signature: { isBogusSignature: true },
    no_user_verification: { isBadUV: true },
    no_user_presence: { isBadUP: true },
  })) {
    await ada.override({ isBogusSignature: false, isBadUV: false, isBadUP: false, ...bits });
    seen[name] = brief(await ada.run("log_in"));
  }
  await ada.override({ isBadUV: false, isBogusSignature: false, isBadUP: false });

  // A page of another origin asks the authenticator, and hands the answer in as its own.
  const lured = await ada.send("POST", "/auth/passkey/login/start", {});
  await ada.page.goto(stranger_url);
  const credential = await ada.run("get", lured);
  await ada.page.goto(page_url);
  const handed_in = { ceremony_id: lured.data.ceremony_id, credential };
  seen.wrong_origin = brief(await ada.send("POST", "/auth/passkey/login/finish", handed_in));

  // A second passkey, on another device; then the first device is gone.
  seen.logged_in_again = brief(await ada.run("log_in"));
  const start = await ada.send("POST", "/auth/passkey/register/start", {});
  await ada.cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: ada.first });
  await ada.authenticator();
  const second = { ceremony_id: start.data.ceremony_id, credential: await ada.run("create", start) };
  seen.second_passkey = brief(await ada.send("POST", "/auth/passkey/register/finish", second));
  seen.passkeys = (await ada.send("GET", "/auth/passkey/credentials")).data?.passkeys?.length ?? 0;
  await ada.send("DELETE", "/session");
  seen.logged_in_with_second = brief(await ada.run("log_in"));

  // Everything is lost but a recovery code, which is good once.
  const lost = await person();
  const recovery_code = registered.data.recovery_codes[0];
  seen.recovered = brief(await lost.send("POST", "/auth/passkey/recover", { recovery_code }));
  const back = await lost.send("GET", "/session");
  seen.recovered_session = { ...brief(back), codes_left: back.data?.session?.recovery_codes_left ?? null };
  seen.recovered_twice = brief(await lost.send("POST", "/auth/passkey/recover", { recovery_code }));

  seen.everywhere = brief(await lost.send("DELETE", "/session?everywhere=true"));
  seen.session_after_everywhere = brief(await ada.send("GET", "/session"));
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
