// Browser wallets, when there is one: EVM by EIP-6963, Solana by Wallet Standard. They fill the form in; nothing is sent by itself.
(() => {
  "use strict";
  const box = document.querySelector("[data-wallets]");
  if (!box) return;
  const signs = box.dataset.wallets === "sign";
  const message = document.getElementById("message")?.textContent ?? "";
  const expected = document.getElementById("wallet")?.textContent ?? "";
  const field = document.getElementById(signs ? "sig" : "wallet_address");
  const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const buttons = document.createElement("p");
  buttons.className = "acts";
  const told = document.createElement("p");
  told.className = "small";
  told.setAttribute("role", "status");
  const names = new Set();

  // A wallet's own name and errors are words of others: text, and never more than a line.
  const line = (text) => String(text).replace(/\s+/g, " ").slice(0, 120);

  const offer = (name, run) => {
    if (names.has(name)) return;
    names.add(name);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn quiet";
    button.textContent = `${signs ? "Sign with" : "Take the address of"} ${line(name)}`;
    button.addEventListener("click", async () => {
      told.textContent = "";
      try {
        field.value = await run();
        told.textContent = signs ? "Signed. Read it once more, then claim." : "Filled in.";
        field.focus();
      } catch (error) {
        told.textContent = `${line(name)}: ${line(error?.message ?? "it did not answer")}`;
      }
    });
    buttons.append(button);
    if (!buttons.isConnected) box.append(buttons, told);
  };

  const evm = async (provider) => {
    const accounts = await provider.request({ method: "eth_requestAccounts" });
    if (!signs) return accounts[0];
    const account = accounts.find((one) => one.toLowerCase() === expected.toLowerCase());
    if (!account) throw new Error(`choose the account ${expected} in it, then try again`);
    const text = `0x${hex(new TextEncoder().encode(message))}`;
    return provider.request({ method: "personal_sign", params: [text, account] });
  };
  window.addEventListener("eip6963:announceProvider", ({ detail }) => {
    if (!signs || expected.startsWith("0x")) offer(detail.info.name, () => evm(detail.provider));
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));

  const solana = async (wallet) => {
    const { accounts } = await wallet.features["standard:connect"].connect();
    if (!signs) return accounts[0].address;
    const account = accounts.find((one) => one.address === expected);
    if (!account) throw new Error(`choose the account ${expected} in it, then try again`);
    const sign = wallet.features["solana:signMessage"].signMessage;
    const [{ signature }] = await sign({ account, message: new TextEncoder().encode(message) });
    return hex(signature);
  };
  const register = (...wallets) => {
    for (const wallet of wallets) {
      const can = wallet.features["standard:connect"] && wallet.features["solana:signMessage"];
      if (can && (!signs || !expected.startsWith("0x"))) offer(wallet.name, () => solana(wallet));
    }
    return () => {};
  };
  window.addEventListener("wallet-standard:register-wallet", ({ detail }) => detail({ register }));
  window.dispatchEvent(new CustomEvent("wallet-standard:app-ready", { detail: { register } }));
})();
