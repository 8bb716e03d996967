// What is checked of every page, by every program that looks at pages.

import { readFileSync } from "node:fs";

// `require` finds axe-core and html-validate.
export const checks = (require) => {
  const { HtmlValidate, StaticConfigLoader } = require("html-validate");
  const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

  const faults = [];
  const fault = (where, what) => faults.push(`${where}: ${what}`);

  // The policy of a page. Anything that could run or load a stranger's code is a fault.
  const check_policy = (where, headers) => {
    const policy = new Map((headers["content-security-policy"] ?? "").split(";").map((part) => part.trim().split(/\s+/)).map(([name, ...values]) => [name, values]));
    const only = (name, ...allowed) => {
      const values = policy.get(name) ?? policy.get("default-src") ?? ["*"];
      for (const value of values) if (!allowed.includes(value)) fault(where, `policy: ${name} allows ${value}`);
    };
    for (const name of ["script-src", "style-src", "img-src", "connect-src", "form-action"]) only(name, "'self'");
    for (const name of ["default-src", "object-src", "font-src", "frame-src", "base-uri", "frame-ancestors"]) only(name, "'none'");
    if (!policy.has("base-uri") || !policy.has("form-action") || !policy.has("frame-ancestors")) fault(where, "policy: a directive is missing that default-src does not stand for");
    if (policy.get("require-trusted-types-for")?.[0] !== "'script'") fault(where, "policy: no Trusted Types");
    if (headers["x-content-type-options"] !== "nosniff") fault(where, "no nosniff");
  };

  const validator = new HtmlValidate(
    new StaticConfigLoader({
      extends: ["html-validate:recommended"],
      rules: {
        // Void elements and attributes are written as maud writes them.
        "void-style": "off",
        "attribute-boolean-style": "off",
        "attribute-empty-style": "off",
        "no-trailing-whitespace": "off",
        "long-title": "off",
        "no-inline-style": "error",
        "require-sri": "off",
        // A plot's days are SVG titles; a region's name may repeat words.
        "tel-non-breaking": "off",
      },
    }),
  );

  const validate = async (where, html) => {
    const report = await validator.validateString(html, `${where}.html`);
    for (const { messages } of report.results) for (const m of messages) fault(where, `${m.ruleId} at ${m.line}:${m.column}: ${m.message}`);
  };

  let runs = 0;

  // axe-core runs in a world of its own, which the page's policy does not reach.
  const inspect = async (page, where) => {
    const session = await page.context().newCDPSession(page);
    const { frameTree } = await session.send("Page.getFrameTree");
    const { executionContextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
    const run = `${axe}; axe.run(document, { resultTypes: ["violations"] }).then((r) => JSON.stringify(r.violations.map((v) => v.id + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | "))))`;
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", { expression: run, contextId: executionContextId, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) fault(where, `axe: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    else for (const violation of JSON.parse(result.value)) fault(where, `axe: ${violation}`);
    // The session stays: the end of one takes the page's virtual authenticators away.
    runs += 1;
  };

  return { faults, fault, check_policy, validate, inspect, runs: () => runs };
};
