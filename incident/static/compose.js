// Looks at a notice while it is written: what is missing, how long it is, how one person sees it. Without this script the button “Check” does the same.
"use strict";

(() => {
  const form = document.getElementById("compose");
  if (!form || !form.dataset.check) return;
  const voice = document.getElementById("weighed-words");
  const PAUSE = 700;
  let waiting, turn = 0, seen = written(), said = "";

  function written() { return new URLSearchParams(new FormData(form)).toString(); }

  // Every part of the page that says something of the text is replaced; what is typed in, and where the reader is, stays.
  function take(fresh) {
    for (const part of document.querySelectorAll("[data-fresh][id]")) {
      const come = fresh.getElementById(part.id);
      if (!come || part.contains(document.activeElement)) continue;
      if (part.innerHTML !== come.innerHTML) part.replaceChildren(...come.childNodes);
      const box = part.parentElement.closest(".sec"), other = come.parentElement.closest(".sec");
      if (box && other) box.className = other.className;
    }
    const words = document.querySelector("#before .need li")?.innerText.split("\n")[0] || "";
    if (words && words !== said) voice.textContent = said = words;
  }
  async function check() {
    const now = written();
    if (now === seen) return;
    seen = now;
    const mine = ++turn;
    try {
      const answer = await fetch(form.dataset.check, { method: "POST", body: new URLSearchParams(now), headers: { "X-Fragment": "1" }, credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== turn) return;
      if (answer.redirected || !page.getElementById("compose")) throw new Error("no answer");
      take(page);
    } catch {
      if (mine === turn) voice.textContent = said = form.dataset.lost;
    }
  }
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(check, PAUSE); };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
})();
