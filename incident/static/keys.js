// Keys and the palette. Both read what stands on the page, or on the page of all that one can do here: neither has a list of its own.
"use strict";

(() => {
  const palette = document.getElementById("palette");
  const help = document.getElementById("keys");
  const wanted = document.getElementById("wanted");
  const offers = document.getElementById("offers");
  let everything = null, chosen = 0, going = 0;

  const isTyped = (target) => target.closest("input, select, textarea, [contenteditable], dialog");
  const words = (element) => element.textContent.replace(/\s+/g, " ").trim();

  // What can be done on this page: its links and buttons that stand as buttons, also those in a menu that is folded. Choosing one goes to it; nothing is pressed for the reader.
  const isFolded = (one) => one.closest(".fold--acts:not([open])")?.checkVisibility();
  function here() {
    return [...document.querySelectorAll("main a.btn, main button.btn, main summary.btn")]
      .filter((one) => words(one) && (one.checkVisibility() || isFolded(one)))
      .map((one) => ({ name: words(one), group: palette.dataset.here, go: () => {
        const menu = one.closest(".fold--acts");
        if (menu) menu.open = true;
        if (one.matches("a")) one.click(); else one.focus();
      } }));
  }
  async function load() {
    const answer = await fetch(palette.dataset.source, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return [...page.querySelectorAll("[data-offers] a")].map((link) => ({
      name: words(link), group: link.closest("[data-offers]").dataset.offers, go: () => location.assign(link.getAttribute("href")),
    }));
  }
  async function open() {
    if (palette.open) return;
    wanted.value = "";
    palette.showModal();
    show();
    try { everything ??= await load(); } catch { everything = null; }
    show();
  }
  function fitting() {
    const asked = wanted.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const all = [...here(), ...(everything || [])];
    return all.filter((one) => { const name = one.name.toLocaleLowerCase(); return asked.every((word) => name.includes(word)); }).slice(0, 40);
  }
  let shown = [];
  function show() {
    shown = fitting();
    chosen = 0;
    let group = null;
    const rows = shown.map((one, at) => {
      const row = Object.assign(document.createElement("li"), { id: `offer-${at}` });
      row.setAttribute("role", "option");
      row.append(Object.assign(document.createElement("span"), { textContent: one.name }));
      if (one.group !== group) row.append(Object.assign(document.createElement("small"), { textContent: group = one.group }));
      row.addEventListener("click", () => take(at));
      return row;
    });
    if (!rows.length) rows.push(Object.assign(document.createElement("li"), { className: "palette__none", textContent: palette.dataset.none, role: "option" }));
    offers.replaceChildren(...rows);
    mark();
  }
  function mark() {
    [...offers.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === chosen && shown.length > 0)));
    if (shown.length) { wanted.setAttribute("aria-activedescendant", `offer-${chosen}`); offers.children[chosen]?.scrollIntoView({ block: "nearest" }); } else wanted.removeAttribute("aria-activedescendant");
  }
  function take(at) {
    const one = shown[at];
    palette.close();
    if (one) { one.go(); return; }
    const find = document.getElementById("bar-find");
    if (find && wanted.value.trim()) { find.value = wanted.value; find.form.requestSubmit(); }
  }
  wanted.addEventListener("input", show);
  wanted.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      chosen = Math.max(0, Math.min(shown.length - 1, chosen + (event.key === "ArrowDown" ? 1 : -1)));
      mark();
    } else if (event.key === "Enter") { event.preventDefault(); take(chosen); }
  });
  for (const dialog of [palette, help]) dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  // Where `g` and a letter lead: the links that say so. Stops of an incident's path have their number.
  function ways() {
    const found = new Map();
    for (const link of document.querySelectorAll("[data-go]")) if (!found.has(link.dataset.go)) found.set(link.dataset.go, link);
    document.querySelectorAll(".rail a").forEach((link, at) => { if (at < 9) found.set(String(at + 1), link); });
    return found;
  }
  function showKeys() {
    if (help.open) return;
    const rows = [...ways()].map(([key, link]) => {
      const row = document.createElement("div"), dt = document.createElement("dt");
      dt.append(Object.assign(document.createElement("kbd"), { textContent: key }));
      row.append(dt, Object.assign(document.createElement("dd"), { textContent: link.dataset.word || words(link) }));
      return row;
    });
    document.getElementById("keys-go").replaceChildren(...rows);
    help.showModal();
  }

  // Arrows walk the rows of the lists of the page, from the one in which one stands or from the first.
  function rows() {
    return [...document.querySelectorAll("main .entry, main tbody tr")]
      .map((row) => row.querySelector("p a[href], td a[href], th a[href]") || row.querySelector("a[href]") || row.querySelector("summary"))
      .filter((link) => link && link.checkVisibility());
  }
  function walk(event) {
    if (document.querySelector("[data-arrows]")) return;
    const stops = rows(), at = stops.indexOf(document.activeElement);
    if (at < 0 && document.activeElement !== document.body && document.activeElement.id !== "main") return;
    const next = stops[Math.max(0, Math.min(stops.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))];
    if (next) { event.preventDefault(); next.focus(); }
  }

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !event.altKey && !event.shiftKey) { event.preventDefault(); open(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyped(event.target)) return;
    const after = Date.now() - going < 1500 ? ways().get(event.key) : null;
    going = 0;
    if (after) { event.preventDefault(); after.click(); return; }
    if (event.key === "g") going = Date.now();
    else if (event.key === "?") { event.preventDefault(); showKeys(); }
    else if (event.key === "/") { const find = document.getElementById("bar-find"); if (find) { event.preventDefault(); find.focus(); find.select(); } }
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") walk(event);
  });
  for (const link of document.querySelectorAll("[data-palette]")) link.addEventListener("click", (event) => { event.preventDefault(); open(); });
  for (const button of document.querySelectorAll("[data-keys]")) { button.hidden = false; button.addEventListener("click", showKeys); }

  // A menu of the bar closes by Escape, and when one goes elsewhere.
  for (const menu of document.querySelectorAll(".bar details")) {
    document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
    menu.addEventListener("keydown", (event) => { if (event.key === "Escape" && menu.open) { menu.open = false; menu.querySelector("summary").focus(); } });
  }
})();
