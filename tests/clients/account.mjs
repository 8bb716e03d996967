// A person's pages, as a person uses them: Chromium, a virtual authenticator, a wallet of its own, with and without scripts.
//
// Reads {"base", "chromium", "sandbox", "listing", "shots"} and prints what was seen. No faults mean: an empty list.
// NODE_MODULES is where playwright-core, axe-core and html-validate are.

import { generateKeyPairSync, createHash, sign } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { checks } from "./checks.mjs";

const require = createRequire(`${process.env.NODE_MODULES}/`);
const { chromium } = require("playwright-core");
const { Wallet } = require("ethers");
const { base, chromium: executablePath, sandbox, listing, shots } = JSON.parse(readFileSync(0, "utf8"));
const { faults, fault, check_policy, validate, inspect, runs } = checks(require);

const FORMS = [[360, "light"], [360, "dark"], [1440, "light"], [1440, "dark"]];
const api = async (method, path, body, headers = {}) => {
  const response = await fetch(`${base}/api/v1${path}`, {
    method,
    headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: response.status, ...(await response.json()) };
};
const later = (ms) => fetch(`${sandbox}/sandbox/clock`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ advance_ms: ms }) });

const base58 = (bytes) => {
  const letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  let number = [...bytes].reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  let text = "";
  for (; number > 0n; number /= 58n) text = letters[Number(number % 58n)] + text;
  for (const byte of bytes) {
    if (byte !== 0) break;
    text = `1${text}`;
  }
  return text;
};

const solana_wallet = () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const address = base58(Buffer.from(publicKey.export({ format: "jwk" }).x, "base64url"));
  return { address, signed: async (message) => base58(sign(null, Buffer.from(message), privateKey)) };
};
const evm_wallet = () => {
  const wallet = Wallet.createRandom();
  return { address: wallet.address, signed: (message) => wallet.signMessage(message) };
};
const register = async ({ address, signed }, display_name) => {
  const { data } = await api("POST", "/auth/challenge", { wallet_address: address });
  let pow_nonce = 0;
  while (!createHash("sha256").update(data.pow.challenge + pow_nonce).digest("hex").startsWith("0".repeat(data.pow.difficulty))) pow_nonce += 1;
  const body = { wallet_address: address, signature: await signed(data.message), nonce: data.nonce, pow_nonce: String(pow_nonce), display_name };
  return (await api("POST", "/register", body)).data;
};
// An agent with a Solana wallet of its own, which has paid for a call and left another one unpaid.
const agent = async () => {
  const { address, signed } = solana_wallet();
  const registered = await register({ address, signed }, "Night Shift Buyer");
  const authorization = registered.authorization_header;
  const call = (n, headers) => api("POST", `/gateway/${listing}`, { n }, { authorization, ...headers });
  const quote = (await call(1)).data.payment.relay_request_id;
  await fetch(`${sandbox}/sandbox/requests/${quote}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ status: "success" }) });
  for (let tries = 0; (await call(1, { "x-crochet-relay-request-id": quote })).status !== 200; tries += 1) if (tries === 20) throw new Error("the call was not delivered");
  await call(2);
  return { id: registered.profile.id, address, signed };
};

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });

// A visitor's browser. What it says on its console is a fault, except that a refusal is one.
const visitor = async (options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("console", (message) => {
    const is_refusal = /status of (401|403|400)/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !is_refusal) fault(page.url(), `console: ${message.text()}`);
  });
  page.on("pageerror", (error) => fault(page.url(), `script: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) fault(page.url(), `loads ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.request().isNavigationRequest() && (response.headers()["content-type"] ?? "").startsWith("text/html")) check_policy(page.url(), response.headers());
  });
  return { context, page };
};
const authenticator = async (context, page) => {
  // An authenticator belongs to the process of the page, and the first page of a site is another process than the empty one.
  await page.goto(`${base}/login`);
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const settings = { protocol: "ctap2", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  const add = (transport) => cdp.send("WebAuthn.addVirtualAuthenticator", { options: { ...settings, transport } });
  await add("internal");
  return add;
};

// The page as it is now: valid, accessible, steady at every width and in both schemes.
const look = async (page, name, is_first = true) => {
  if (is_first) {
    // Before axe-core and screenshots, which add styles of their own to the document.
    await validate(name, await page.content());
    const inline = await page.evaluate(() => document.querySelectorAll("[style], style, script:not([src])").length);
    if (inline > 0) fault(name, `${inline} inline styles or scripts`);
  }
  for (const [width, scheme] of FORMS) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: scheme });
    const where = `${name} ${width}-${scheme}`;
    const seen = await page.evaluate(() => ({
      sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      h1: [...document.querySelectorAll("h1")].filter((h1) => h1.checkVisibility()).length,
    }));
    if (seen.sideways > 0) fault(where, `scrolls sideways by ${seen.sideways} px`);
    if (seen.h1 !== 1) fault(where, `${seen.h1} h1`);
    await inspect(page, where);
    await page.screenshot({ path: `${shots}/${name}-${width}-${scheme}.png`, fullPage: true });
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
};
// Nothing that can be reached has a focus that cannot be seen.
const unseen = (page) =>
  page.evaluate(() => {
    const hidden = [];
    for (const element of document.querySelectorAll("a[href], button:not([hidden], [disabled]), input:not([type=hidden]), select, textarea, summary, [tabindex='0']")) {
      element.focus();
      if (document.activeElement === element && getComputedStyle(element).outlineStyle === "none") hidden.push(element.outerHTML.slice(0, 100));
    }
    return hidden;
  });

const walk = {};
const keyboard = {};
try {
  mkdirSync(shots, { recursive: true });
  const buyer = await agent();
  const { context, page } = await visitor();
  const add_authenticator = await authenticator(context, page);

  // Sign up, save the codes.
  await page.goto(`${base}/signup`);
  await look(page, "signup");
  await page.fill("#name", "Ilse Example");
  await page.click("text=Create a passkey");
  await page.waitForSelector("#codes-shown:not([hidden]) li");
  walk.signing_up_is_gone = !(await page.isVisible("#signing-up"));
  await look(page, "signup-codes", false);
  const codes = await page.locator("#codes li").allTextContents();
  walk.codes = codes.length;
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
  walk.download = readFileSync(await download.path(), "utf8").trim().split("\n").filter((line) => codes.includes(line)).length;
  await page.check("#kept");
  await page.click("text=Go on to your account");
  await page.waitForURL((url) => url.pathname === "/account");
  walk.without_agents = (await page.textContent("main")).includes("You have claimed no agent yet");
  await look(page, "account-empty");

  // Two wallets announce themselves: one by the Wallet Standard, the other by EIP-6963. Claim an agent with the first.
  const evm = evm_wallet();
  await page.exposeFunction("evm_signs", (message) => evm.signed(Buffer.from(message.slice(2), "hex")));
  await page.exposeFunction("evm_address_of_test", () => evm.address.toLowerCase());
  await page.exposeFunction("wallet_signs", (message) => buyer.signed(Buffer.from(message)));
  await page.exposeFunction("wallet_address_of_test", () => buyer.address);
  await page.addInitScript(() => {
    const decode = (text) => {
      const letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
      let number = [...text].reduce((sum, letter) => sum * 58n + BigInt(letters.indexOf(letter)), 0n);
      const bytes = new Uint8Array(64);
      for (let at = 63; at >= 0; at -= 1, number /= 256n) bytes[at] = Number(number % 256n);
      return bytes;
    };
    const wallet = {
      name: "Test Wallet",
      features: {
        "standard:connect": { connect: async () => ({ accounts: [{ address: await window.wallet_address_of_test() }] }) },
        "solana:signMessage": { signMessage: async ({ message }) => [{ signature: decode(await window.wallet_signs([...message])) }] },
      },
    };
    window.addEventListener("wallet-standard:app-ready", ({ detail }) => detail.register(wallet));
    const provider = {
      request: async ({ method, params }) => {
        const account = await window.evm_address_of_test();
        if (method === "eth_requestAccounts") return [account];
        if (method === "personal_sign" && params[1] === account) return window.evm_signs(params[0]);
        throw new Error(`no ${method}`);
      },
    };
    const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: { info: { name: "Test EVM Wallet" }, provider } }));
    window.addEventListener("eip6963:requestProvider", announce);
  });
  await page.click("text=Claim one");
  await look(page, "claim");
  await page.fill("#agent_id", buyer.id);
  await page.click("text=Take the address of Test Wallet");
  await page.waitForFunction((address) => document.getElementById("wallet_address").value === address, buyer.address);
  walk.wallet_filled_in = true;
  await page.click("text=Show the message to sign");
  await page.waitForSelector("#message");
  await page.fill("#sig", "0x5c1f9a");
  await page.click("text=Claim this agent");
  await page.waitForSelector("#sig-error");
  walk.malformed = (await page.inputValue("#sig")) === "0x5c1f9a" ? "kept" : "lost";
  await look(page, "claim-message");
  await page.click("text=Sign with Test Wallet");
  await page.waitForFunction(() => document.getElementById("sig").value.length === 128);
  await page.click("text=Claim this agent");
  await page.waitForURL((url) => url.pathname === "/account");
  walk.claimed = (await page.textContent("#main")).includes("Night Shift Buyer");
  const rows = page.locator("section[aria-label='Table: Calls'] tbody tr");
  walk.calls = (await rows.locator(".state").allTextContents()).sort();
  walk.charges = (await rows.locator("td.n:nth-of-type(3)").allTextContents()).map((text) => text.trim()).sort();
  walk.spent = (await page.locator(".strip b").first().textContent()).trim();

  // A statement, as a file.
  const [statement] = await Promise.all([page.waitForEvent("download"), page.click("text=to date")]);
  const csv = readFileSync(await statement.path(), "utf8").trim().split("\r\n");
  walk.statement = { rows: csv.length - 1, amount: csv[1]?.split(",")[3], name: /^crochet-\d{4}-\d{2}\.csv$/.test(statement.suggestedFilename()) };
  await look(page, "account");

  // Six minutes later, a key takes the passkey again.
  await later(360_000);
  await page.fill("#key-name", "Month-end sheet");
  await page.click("text=Make a read key");
  await page.waitForSelector("form[data-passkey=confirm]");
  await look(page, "confirm");
  await page.click("text=Use the passkey and go on");
  await page.waitForSelector("#key");
  walk.passkey_again = true;
  const key = (await page.textContent("#key")).trim();
  walk.key_works = (await api("GET", "/me", undefined, { authorization: `Bearer ${key}` })).status;
  await look(page, "key");
  await page.click("text=Back to your account");
  await page.click("text=Ten new codes");
  await page.waitForSelector("#codes li");
  walk.new_codes = await page.locator("#codes li").count();
  const fresh = await page.locator("#codes li").allTextContents();
  await look(page, "codes");

  // Another passkey, on another device: the script asks for the first one again by itself.
  await page.goto(`${base}/account`);
  await add_authenticator("usb");
  await page.fill("#passkey-name", "Drawer");
  await Promise.all([page.waitForEvent("load"), page.click("text=Add a passkey")]);
  walk.added_passkey = await page.locator("section[aria-label='Table: Passkeys'] tbody tr").count();

  // Without scripts: a code logs in, books are read, and what needs a passkey says so.
  const plain = await visitor({ javaScriptEnabled: false });
  await plain.page.goto(`${base}/login`);
  await plain.page.fill("#code", "AAAA-BBBB-CCCC");
  const [wrong] = await Promise.all([plain.page.waitForResponse((response) => response.request().method() === "POST"), plain.page.click("text=Log in with the code")]);
  await plain.page.fill("#code", fresh[0]);
  await plain.page.click("text=Log in with the code");
  await plain.page.waitForURL((url) => url.pathname === "/account");
  const noscript = { wrong_code: wrong.status(), logged_in: true };
  noscript.calls = await plain.page.locator("section[aria-label='Table: Calls'] tbody tr").count();
  await later(360_000);
  await plain.page.reload();
  await plain.page.click("text=Ten new codes");
  noscript.asked_again = (await plain.page.textContent("main")).includes("Needs a script");
  await plain.page.screenshot({ path: `${shots}/confirm-without-scripts.png`, fullPage: true });
  await plain.page.goto(`${base}/account`);
  walk.sessions = await plain.page.locator("section[aria-label='Table: Sessions'] tbody tr").count();
  await plain.page.screenshot({ path: `${shots}/account-without-scripts.png`, fullPage: true });
  const third = await visitor({ javaScriptEnabled: false });
  await third.page.goto(`${base}/login`);
  await third.page.fill("#code", fresh[1]);
  await third.page.click("text=Log in with the code");
  await third.page.waitForURL((url) => url.pathname === "/account");
  await third.page.locator("section[aria-label='Table: Sessions'] tr", { hasText: "this one" }).locator("button").click();
  await third.page.waitForURL(`${base}/`);
  await third.page.goto(`${base}/account`);
  noscript.ended_other = new URL(third.page.url()).pathname === "/login";
  walk.without_scripts = noscript;

  // Everything ends, the key too. The passkey is asked for again.
  await page.goto(`${base}/account`);
  keyboard.unseen = await unseen(page);
  await page.check("#endkeys");
  await page.click("text=Log out everywhere");
  await page.waitForSelector("form[data-passkey=confirm]");
  await page.click("text=Use the passkey and go on");
  await page.waitForURL(`${base}/`);
  await page.goto(`${base}/account`);
  await plain.page.goto(`${base}/account`);
  walk.after = {
    account: new URL(page.url()).pathname,
    key: (await api("GET", "/me", undefined, { authorization: `Bearer ${key}` })).status,
    other: new URL(plain.page.url()).pathname,
  };
  await look(page, "login");
  await page.click("main >> text=Log in with a passkey");
  await page.waitForURL((url) => url.pathname === "/account");
  walk.logged_in_again = true;

  // Release the agent.
  await page.click("text=Release");
  await look(page, "release");
  await page.click("text=Release it");
  await page.waitForURL((url) => url.pathname === "/account");
  walk.released = (await page.textContent("main")).includes("You have claimed no agent yet");

  // Claim another one with the wallet that EIP-6963 announces.
  const other_agent = await register(evm, "Day Shift Buyer");
  await page.click("text=Claim one");
  await page.fill("#agent_id", other_agent.profile.id);
  await page.click("text=Take the address of Test EVM Wallet");
  await page.waitForFunction((address) => document.getElementById("wallet_address").value === address, evm.address.toLowerCase());
  await page.click("text=Show the message to sign");
  await page.click("text=Sign with Test EVM Wallet");
  await page.waitForFunction(() => document.getElementById("sig").value.length === 132);
  await page.click("text=Claim this agent");
  await page.waitForURL((url) => url.pathname === "/account");
  walk.claimed_by_evm = (await page.textContent("#main")).includes("Day Shift Buyer");

  // By keyboard alone: from the address to the codes.
  const other = await visitor();
  await authenticator(other.context, other.page);
  await other.page.goto(`${base}/signup`);
  const reach = async (matches) => {
    for (let steps = 0; steps < 40; steps += 1) {
      await other.page.keyboard.press("Tab");
      if (await other.page.evaluate((selector) => document.activeElement.matches(selector), matches)) return;
    }
    throw new Error(`${matches} is not reached by Tab`);
  };
  await reach("#name");
  await other.page.keyboard.type("By Keyboard");
  await reach("form[data-passkey=signup] button");
  await other.page.keyboard.press("Enter");
  await other.page.waitForSelector("#codes-shown:not([hidden]) li");
  await reach("#kept");
  await other.page.keyboard.press("Space");
  await reach("#codes-shown button[type=submit]");
  await other.page.keyboard.press("Enter");
  await other.page.waitForURL((url) => url.pathname === "/account");
  keyboard.signed_up = true;
  console.log(JSON.stringify({ faults, runs: runs(), walk, keyboard }));
} catch (error) {
  // What was on the screens helps more than where the script stood.
  for (const context of browser.contexts()) for (const page of context.pages()) {
    const told = await page.locator("[data-told]:visible, .error:visible").allTextContents();
    console.error(page.url(), told, faults);
    await page.screenshot({ path: `${shots}/failed.png`, fullPage: true });
  }
  throw error;
} finally {
  await browser.close();
}
