// Makes the board of duties live: answers and filters change it in place, duties open where they stand, arrows walk the list.
"use strict";

(() => {
  const texts = document.currentScript.dataset; // in the reader's language
  const main = document.getElementById("main");
  const voice = Object.assign(document.createElement("p"), { className: "visually-hidden" });
  voice.setAttribute("role", "status");
  document.body.append(voice);

  // What the reader has under way is kept over a change of the page: open folds, typed text, the place of the cursor.
  function kept() {
    const focus = document.activeElement;
    return {
      open: [...main.querySelectorAll("details[id]")].map((fold) => [fold.id, fold.open]),
      typed: [...main.querySelectorAll("form[id]")].filter((form) => form.dataset.typed).map((form) => [form.id, [...new FormData(form)]]),
      focus: focus && main.contains(focus) ? { id: focus.id, value: focus.value, at: focus.selectionStart, row: focus.closest("[data-row]")?.id } : null,
    };
  }
  function restore(held, sent) {
    for (const [id, open] of held.open) {
      const fold = document.getElementById(id);
      if (fold) fold.open = open;
    }
    for (const [id, entries] of held.typed) {
      const form = id === sent ? null : document.getElementById(id);
      if (form) fill(form, entries);
    }
    const focus = held.focus && (document.getElementById(held.focus.id) || document.getElementById(held.focus.row)?.querySelector("[data-step]"));
    if (!focus) return;
    if (focus.type === "search") { focus.value = held.focus.value; focus.setSelectionRange?.(held.focus.at, held.focus.at); }
    focus.focus({ preventScroll: true });
  }
  function fill(form, entries) {
    form.dataset.typed = "1";
    for (const [name, value] of entries) {
      for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (field.type === "checkbox" || field.type === "radio") field.checked ||= field.value === value;
        else if (field.type !== "hidden" && field.tagName !== "BUTTON") field.value = value;
      }
    }
  }

  let asked = 0;
  async function show(url, options, sent) {
    const turn = ++asked;
    main.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(url, { credentials: "same-origin", ...options });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const page = fresh.getElementById("main");
      if (turn !== asked) return;
      if (!page || (answer.redirected && !page.querySelector("#list, .ask"))) { location.assign(answer.url); return; }
      const held = kept();
      main.replaceChildren(...page.childNodes);
      restore(held, sent);
      if (answer.ok) history.replaceState(null, "", answer.url.replace(/[?&]answered=[^&#]*/, ""));
      voice.textContent = [...main.querySelectorAll(".said")].map((said) => said.textContent.trim()).join(" ");
      ready();
    } catch {
      voice.textContent = texts.lost;
    } finally {
      main.removeAttribute("aria-busy");
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-swap], form[data-filter]") || event.defaultPrevented) return;
    event.preventDefault();
    const data = new FormData(form, event.submitter);
    delete form.dataset.typed;
    if (form.method === "post") {
      const next = form.closest(".ask")?.nextElementSibling?.id;
      // The form stays marked as sent until its answer is there, so that a double click sends it once.
      show(form.action, { method: "POST", body: new URLSearchParams(data) }, form.id).then(() => {
        delete form.dataset.sent;
        const ask = next && document.getElementById(next);
        if (ask && ask.matches("details")) { ask.open = true; (ask.querySelector("input:not([type=hidden]), select, textarea, button") || ask.firstElementChild).focus({ preventScroll: true }); }
      });
    } else {
      show(address(form, data)).then(() => { delete form.dataset.sent; });
    }
  });
  function address(form, data) {
    const words = [...data].filter(([name, value]) => value && !(name === "fold" && value === "yes"));
    return `${form.action}?${new URLSearchParams(words)}`;
  }

  let waiting;
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form) return;
    if (form.matches("form[data-filter]")) {
      clearTimeout(waiting);
      waiting = setTimeout(() => show(address(form, new FormData(form))), event.target.type === "search" ? 300 : 0);
    } else if (form.matches("form[data-swap]")) form.dataset.typed = "1";
  });

  // Tabs and pages of the list change in place too.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#list .tabs a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    show(link.href).then(() => main.querySelector("#list .tabs a[aria-current]")?.focus({ preventScroll: true }));
  });

  // A duty opens where it stands, with all its own page says of it.
  document.addEventListener("toggle", async (event) => {
    const fold = event.target;
    if (!fold.dataset?.inlay || !fold.open || fold.dataset.full) return;
    fold.dataset.full = "1";
    try {
      const answer = await fetch(fold.dataset.inlay, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("inlay");
      if (answer.ok && page) fold.lastElementChild.replaceChildren(...page.childNodes);
    } catch { delete fold.dataset.full; }
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, [contenteditable]")) return;
    const search = document.getElementById("q");
    if (event.key === "/" && search) { event.preventDefault(); search.focus(); return; }
    const list = main.querySelector("[data-arrows]");
    if (!list || !(list.contains(document.activeElement) || document.activeElement === document.body || document.activeElement === main)) return;
    const stops = [...list.querySelectorAll("[data-step], .many > summary, .span > summary")].filter((stop) => stop.checkVisibility());
    const here = stops.indexOf(document.activeElement.closest("[data-step], .many > summary, .span > summary"));
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = stops[Math.max(0, Math.min(stops.length - 1, here + (event.key === "ArrowDown" ? 1 : -1)))];
      next?.focus();
    } else if (here >= 0 && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
      const fold = stops[here].closest("summary")?.parentElement || stops[here].closest("[data-row]")?.querySelector("details") || stops[here].closest("details");
      if (fold) fold.open = event.key === "ArrowRight";
    }
  });

  // Filters act at once, so their button is for those without this script.
  function ready() {
    for (const form of main.querySelectorAll("form[data-filter]")) form.classList.add("filters--live");
  }
  ready();
})();
