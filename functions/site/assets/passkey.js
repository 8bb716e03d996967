// Passkeys: sign up, log in, add one, and use one again. Forms say which with data-passkey.
(() => {
  "use strict";
  const tooOld = "This browser is too old for passkeys. Update it, or use another one.";
  const unused = "The passkey was not used, so nothing has changed. Try again when you are ready.";

  class Told extends Error {}

  const api = async (method, path, body) => {
    let response, reply;
    try {
      response = await fetch(`/api/v1${path}`, {
        method,
        headers: body === undefined ? {} : { "content-type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      reply = await response.json();
    } catch {
      throw new Told("There was no answer. Check your connection and try again.");
    }
    if (reply.error?.code === "REAUTHENTICATION_REQUIRED") return again(() => api(method, path, body));
    if (!response.ok) throw new Told(reply.error?.message ?? "Something broke. Try again in a minute.");
    return reply.data;
  };

  const asked = async (ask) => {
    if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) throw new Told(tooOld);
    try {
      return (await ask()).toJSON();
    } catch (error) {
      if (error.name === "InvalidStateError") throw new Told("This device has a passkey of yours already.");
      throw new Told(unused);
    }
  };
  const create = async (start) => ({
    ceremony_id: start.ceremony_id,
    credential: await asked(() =>
      navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(start.public_key) })),
  });
  const get = async (start) => ({
    ceremony_id: start.ceremony_id,
    credential: await asked(() =>
      navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(start.public_key) })),
  });
  const use = async (what) =>
    api("POST", `/auth/passkey/${what}/finish`, await get(await api("POST", `/auth/passkey/${what}/start`, {})));
  const again = async (then) => {
    await use("reauthenticate");
    return then();
  };

  const showCodes = ({ profile, recovery_codes: codes }) => {
    const shown = document.getElementById("codes-shown");
    shown.querySelector("[data-person]").textContent = profile.display_name;
    document.getElementById("codes").replaceChildren(...codes.map((code) => {
      const item = document.createElement("li");
      item.textContent = code;
      return item;
    }));
    document.getElementById("download").href = `data:text/plain;charset=utf-8,${encodeURIComponent(`${codes.join("\n")}\n`)}`;
    const title = document.querySelector("h1");
    title.textContent = "Your recovery codes";
    title.tabIndex = -1;
    shown.querySelector(".crumbs").after(title);
    document.getElementById("signing-up").hidden = true;
    shown.hidden = false;
    title.focus();
  };

  const steps = {
    signup: async (form) => {
      const start = await api("POST", "/auth/passkey/register/start", { display_name: form.elements.display_name.value.trim() });
      showCodes(await api("POST", "/auth/passkey/register/finish", await create(start)));
    },
    login: async () => {
      await use("login");
      location.assign("/account");
    },
    add: async (form) => {
      const name = form.elements.name.value.trim();
      const made = await create(await api("POST", "/auth/passkey/register/start", {}));
      await api("POST", "/auth/passkey/register/finish", name ? { ...made, name } : made);
      location.reload();
    },
    confirm: async (form) => {
      await use("reauthenticate");
      form.submit();
    },
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const button = form.querySelector("[data-enable]");
    const told = form.querySelector("[data-told]");
    button.disabled = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      told.hidden = true;
      try {
        await steps[form.dataset.passkey](form);
      } catch (error) {
        if (!(error instanceof Told)) throw error;
        told.textContent = error.message;
        told.hidden = false;
      } finally {
        button.disabled = false;
      }
    });
  }
})();
