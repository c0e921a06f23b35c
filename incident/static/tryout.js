// Tries a call of the API from its reference, with the token typed on the page. Nothing is kept.
"use strict";

async function send(form) {
  const token = document.getElementById("token").value.trim();
  let path = form.dataset.path;
  const asked = new URLSearchParams(), headers = { Accept: "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  let body;
  for (const field of form.querySelectorAll("[data-where]")) {
    if (!field.value) continue;
    if (field.dataset.where === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
    else if (field.dataset.where === "query") asked.set(field.name, field.value);
    else if (field.dataset.where === "header") headers[field.name] = field.value;
    else { body = field.value; headers["Content-Type"] = "application/json"; }
  }
  const address = asked.size ? `${path}?${asked}` : path;
  const answer = await fetch(address, { method: form.dataset.way, headers, body, credentials: "omit" });
  const kind = answer.headers.get("Content-Type") || "";
  const text = kind.includes("json") || kind.startsWith("text/") ? await answer.text() : `(${kind})`;
  let shown = text;
  if (kind.includes("json")) { try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* as it came */ } }
  return `${answer.status} ${answer.statusText}\n\n${shown}`;
}

for (const form of document.querySelectorAll("[data-tryout]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const place = form.querySelector("output"), said = document.createElement("pre");
    said.className = "mono";
    try { said.textContent = await send(form); } catch (error) { said.textContent = String(error); }
    place.replaceChildren(said);
    delete form.dataset.sent;
  });
}
