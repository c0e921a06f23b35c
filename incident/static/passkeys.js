// Asks the browser for a passkey and sends its answer with the form: data-passkey="create|get", data-options="…".
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const words = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function opened(options) {
  const found = { ...options, challenge: bytes(options.challenge) };
  if (found.user) found.user = { ...found.user, id: bytes(found.user.id) };
  for (const list of ["excludeCredentials", "allowCredentials"])
    if (found[list]) found[list] = found[list].map((one) => ({ ...one, id: bytes(one.id) }));
  return found;
}

function said(credential) {
  const answer = credential.response, response = { clientDataJSON: words(answer.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"])
    if (answer[name]) response[name] = words(answer[name]);
  return JSON.stringify({
    id: credential.id, rawId: words(credential.rawId), type: credential.type, response,
    clientExtensionResults: credential.getClientExtensionResults(),
    authenticatorAttachment: credential.authenticatorAttachment || undefined,
  });
}

const texts = document.currentScript.dataset; // in the reader's language
for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  const told = form.querySelector("[data-told]");
  form.addEventListener("submit", async (event) => {
    if (form.elements.answer.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    told.textContent = texts.follow;
    try {
      const publicKey = opened(JSON.parse(form.dataset.options));
      const credential = await navigator.credentials[form.dataset.passkey]({ publicKey });
      form.elements.answer.value = said(credential);
      form.submit();
    } catch (error) {
      told.textContent = error.name === "InvalidStateError" ? texts.known : texts.failed;
    }
  }, true);
}
