// Makes pages live where a browser allows it; every page works without it.
"use strict";

// A part that keeps itself fresh: data-live="/address of a fragment" data-every="seconds". It stops when the fragment says data-done.
function follow(part) {
  const every = Number(part.dataset.every || "3") * 1000;
  const again = () => setTimeout(() => refresh(part, again), every);
  if (!part.hasAttribute("data-done")) again();
}
async function refresh(part, again) {
  if (document.hidden) return again();
  try {
    const answer = await fetch(part.dataset.live, { headers: { "X-Fragment": "1" }, credentials: "same-origin" });
    if (answer.ok && !answer.redirected && answer.headers.get("X-Fragment") === "1") {
      const held = document.activeElement && part.contains(document.activeElement);
      const folds = new Map([...part.querySelectorAll("details[id]")].map((fold) => [fold.id, fold.open]));
      if (!held) part.innerHTML = await answer.text();
      for (const [id, open] of folds) if (document.getElementById(id)) document.getElementById(id).open = open;  // as the reader left them
      if (part.querySelector("[data-done]")) { location.reload(); return; }
    }
  } catch { /* offline for a moment: the next round asks again */ }
  again();
}

// A form is sent once, however often its button is clicked.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => { delete form.dataset.sent; }, 8000);
});

// Leaving a form with typed text asks first.
const typed = new Set();
document.addEventListener("input", (event) => { if (event.target.form && event.target.form.hasAttribute("data-keep")) typed.add(event.target.form); });
document.addEventListener("submit", (event) => typed.delete(event.target));
window.addEventListener("beforeunload", (event) => { if (typed.size) event.preventDefault(); });

for (const part of document.querySelectorAll("[data-live]")) follow(part);
