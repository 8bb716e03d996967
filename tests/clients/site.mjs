// Looks at the site as a visitor does: in Chromium, at two widths, in two schemes, with and without scripts, and by keyboard alone.
//
// Reads {"base", "chromium", "pages", "listing", "shots", "query"} and prints what was found. Empty lists mean: no fault.
// NODE_MODULES is where playwright-core, axe-core and html-validate are.

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { checks } from "./checks.mjs";

const require = createRequire(`${process.env.NODE_MODULES}/`);
const { chromium } = require("playwright-core");
const { base, chromium: executablePath, pages, plain, listing, shots, query } = JSON.parse(readFileSync(0, "utf8"));

const WIDTHS = [360, 1440];
const SCHEMES = ["light", "dark"];
// Largest page, compressed, in bytes.
const MAX_BYTES = 60 * 1024;

const { faults, fault, check_policy, validate, inspect, runs } = checks(require);

const weights = {};
const links = new Map();
let largest_shift = 0;
let slowest_paint = 0;

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });

// Opens a page and looks for faults that a script in it can see.
const look = async (context, path, { shot, expected = 200 }) => {
  const page = await context.newPage();
  const where = `${path} ${shot}`;
  page.on("console", (message) => {
    // A browser says of every 404 that it is one.
    if (message.type() === "error" && !(expected >= 400 && message.text().includes("Failed to load resource"))) fault(where, `console: ${message.text()}`);
    if (message.type() === "warning") fault(where, `console: ${message.text()}`);
  });
  page.on("pageerror", (error) => fault(where, `script: ${error.message}`));
  page.on("dialog", (dialog) => {
    fault(where, "a dialog opened");
    dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(base)) fault(where, `loads ${request.url()}`);
  });
  await page.addInitScript(() => {
    window.shift = 0;
    window.shifted = [];
    window.paint = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        window.shift += entry.value;
        window.shifted.push(...entry.sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? node?.textContent?.slice(0, 80)));
      }
    }).observe({ type: "layout-shift", buffered: true });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.paint = entry.startTime;
    }).observe({ type: "largest-contentful-paint", buffered: true });
  });
  const response = await page.goto(base + path, { waitUntil: "load" });
  if (response.status() !== expected) fault(where, `status ${response.status()}`);
  check_policy(where, response.headers());
  const seen = await page.evaluate(async () => {
    // Two frames, so that observers have been told.
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    document.querySelectorAll("details").forEach((details) => (details.open = true));
    const width = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    return {
      shift: window.shift,
      shifted: window.shifted,
      paint: window.paint,
      sideways: width,
      h1: document.querySelectorAll("h1").length,
      inline: document.querySelectorAll("[style], style, script:not([src]), [onclick], [onerror], [onload]").length,
      links: [...document.querySelectorAll("a[href]")].map((a) => ({ href: a.href, rel: a.rel })),
      foreign: [...document.querySelectorAll(".words a")].map((a) => a.rel),
    };
  });
  largest_shift = Math.max(largest_shift, seen.shift);
  slowest_paint = Math.max(slowest_paint, seen.paint);
  if (seen.shift > 0) fault(where, `layout shift ${seen.shift} of ${seen.shifted.join(" and ")}`);
  if (seen.sideways > 0) fault(where, `scrolls sideways by ${seen.sideways} px`);
  if (seen.h1 !== 1) fault(where, `${seen.h1} h1`);
  if (seen.inline > 0) fault(where, `${seen.inline} inline styles or scripts`);
  for (const rel of seen.foreign) if (rel !== "nofollow ugc noopener") fault(where, `a link of others with rel "${rel}"`);
  for (const { href } of seen.links) if (href.startsWith(base)) links.set(href.slice(base.length), path);
  return page;
};

const name_of = (path) => path.replace(/^\//, "").replace(/[^a-z0-9]+/gi, "-").slice(0, 60) || "home";

try {
  mkdirSync(shots, { recursive: true });
  // Every page, in every form.
  for (const scheme of SCHEMES) {
    for (const width of WIDTHS) {
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, reducedMotion: "reduce" });
      for (const { path, status: expected, kind } of pages) {
        // One page of a kind is looked at in every form; the others once.
        if (!kind && !(scheme === "light" && width === 360)) continue;
        const shot = `${width}-${scheme}`;
        const page = await look(context, path, { shot, expected });
        await inspect(page, `${path} ${shot}`);
        if (kind) {
          await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = false)));
          await page.screenshot({ path: `${shots}/${name_of(kind)}-${shot}.png`, fullPage: true });
        }
        await page.close();
      }
      await context.close();
    }
  }

  // The HTML as it is sent, and what it weighs.
  for (const { path } of pages) {
    const reply = await fetch(base + path, { headers: { accept: "text/html", "accept-encoding": "identity" } });
    await validate(path, await reply.text());
    const { spawnSync } = require("node:child_process");
    const curl = spawnSync("curl", ["-s", "-o", "/dev/null", "-w", "%{size_download}", "-H", "Accept: text/html", "-H", "Accept-Encoding: gzip", base + path]);
    weights[path] = Number(curl.stdout.toString());
    if (weights[path] > MAX_BYTES) fault(path, `${weights[path]} bytes`);
  }

  // Texts that others only know by their address.
  for (const path of plain) {
    const reply = await fetch(base + path, { headers: { accept: "*/*" } });
    if (!(reply.headers.get("content-type") ?? "").startsWith("text/plain")) fault(path, `programs get ${reply.headers.get("content-type")}`);
  }

  // Every link leads somewhere, and every fragment to an element.
  const fetched = new Map();
  for (const [link, from] of links) {
    const [path, fragment] = link.split("#");
    if (!fetched.has(path)) {
      const reply = await fetch(base + path, { headers: { accept: "text/html" } });
      fetched.set(path, { status: reply.status, text: await reply.text() });
    }
    const { status, text } = fetched.get(path);
    if (status !== 200 && !pages.some((page) => page.path === path && page.status === status)) fault(from, `links to ${path}: ${status}`);
    if (fragment && status === 200 && !text.includes(`id="${decodeURIComponent(fragment)}"`)) fault(from, `links to ${link}, and there is no such part`);
  }

  // Search, filter, sort, open a listing and read its 402: with scripts, and without.
  const walks = {};
  for (const javaScriptEnabled of [true, false]) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, javaScriptEnabled });
    const page = await context.newPage();
    await page.goto(`${base}/marketplace`);
    await page.fill("#q", query);
    await page.press("#q", "Enter");
    const found = await page.textContent("#results");
    await page.selectOption("#sort", "price_low");
    await page.check("#pm3");
    await page.click("#filters button[type=submit]");
    const filtered = await page.textContent("#results");
    const order = new URL(page.url()).searchParams.get("sort");
    const chip = await page.textContent(".chips a");
    await page.click(`.rows a[href="${listing}"]`);
    const body = await page.textContent("#probe-body");
    const tab = page.locator("label[for=call-2]");
    await tab.click();
    const python = await page.isVisible("#call-python");
    const copies = await page.locator("button.copy:visible").count();
    walks[javaScriptEnabled ? "scripts" : "none"] = {
      found: found.trim(), filtered: filtered.trim(), order, chip: chip.trim().slice(0, 8), code: body.includes("PAYMENT_REQUIRED"), probe: body.includes('"probe": true'), python, copies: copies > 0,
    };
    await context.close();
  }

  // By keyboard alone: the skip link, the search by "/", tabs by arrows, and no focus that cannot be seen.
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.goto(base + listing);
  await page.keyboard.press("Tab");
  const skip = await page.evaluate(() => document.activeElement.textContent);
  await page.keyboard.press("Enter");
  await page.focus("#call-1");
  await page.keyboard.press("ArrowRight");
  const by_arrow = await page.isVisible("#call-python");
  const unseen = await page.evaluate(() => {
    const hidden = [];
    for (const element of document.querySelectorAll("a[href], button:not([hidden]), input, select, summary, [tabindex='0']")) {
      element.focus();
      if (document.activeElement !== element) continue;
      const ring = element.matches(".tabs > input") ? getComputedStyle(element.nextElementSibling) : getComputedStyle(element);
      if (ring.outlineStyle === "none") hidden.push(element.outerHTML.slice(0, 100));
    }
    return hidden;
  });
  for (const element of unseen) fault(listing, `no focus ring: ${element}`);
  await page.goto(`${base}/marketplace`);
  await page.keyboard.press("/");
  const slash = await page.evaluate(() => document.activeElement.id);
  await page.keyboard.type(query);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.searchParams.has("q"));
  const keyboard = { skip, by_arrow, slash, searched: new URL(page.url()).searchParams.get("q") };
  await context.close();

  console.log(JSON.stringify({ faults, weights, runs: runs(), links: links.size, largest_shift, slowest_paint, walks, keyboard }));
} finally {
  await browser.close();
}
