// Passkeys: asks the server for a question, the device for an answer, and hands it over.
"use strict";

(() => {
  if (!window.PublicKeyCredential) return;

  const toBytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
  };
  const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const withBytes = (list) => (list || []).map((each) => ({ ...each, id: toBytes(each.id) }));

  const asked = (options) => {
    const question = { ...options, challenge: toBytes(options.challenge) };
    if (options.user) question.user = { ...options.user, id: toBytes(options.user.id) };
    if (options.excludeCredentials) question.excludeCredentials = withBytes(options.excludeCredentials);
    if (options.allowCredentials) question.allowCredentials = withBytes(options.allowCredentials);
    return { publicKey: question };
  };

  const answered = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = toText(credential.response[name]);
    }
    return {
      id: credential.id, rawId: toText(credential.rawId), type: credential.type, response,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  };

  const post = (address, token, body) => fetch(address, {
    method: "POST", credentials: "same-origin", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
  });

  const ask = async (box) => {
    const { question, answer, again } = box.dataset;
    const token = document.querySelector("input[name=csrf_token]").value;
    const got = await post(question, token, {});
    if (got.status === 403 && again) { window.location.assign(again); return; }
    if (!got.ok) throw new Error("no question");
    const options = asked(await got.json());
    const isNew = box.dataset.passkey === "create";
    const credential = await (isNew
      ? navigator.credentials.create(options) : navigator.credentials.get(options));
    const name = box.querySelector("input");
    const body = isNew ? { answer: answered(credential), name: name ? name.value : "" } : answered(credential);
    const told = await post(answer, token, body);
    const said = await told.json();
    if (!told.ok) throw new Error(said.problem);
    if (said.next) window.location.assign(said.next);
    else document.getElementById("confirm-form").requestSubmit();
  };

  for (const box of document.querySelectorAll("[data-passkey]")) {
    const button = box.querySelector("button");
    const problem = box.querySelector("[data-problem]");
    box.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      problem.hidden = true;
      try {
        await ask(box);
      } catch {
        problem.textContent = problem.dataset.words;
        problem.hidden = false;
      } finally {
        button.disabled = false;
      }
    });
  }
})();
