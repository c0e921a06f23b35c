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

// A form is sent once, however often its button is clicked; whoever waits for its answer sees that it is under way.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  const button = event.submitter;
  if (button) setTimeout(() => { if (form.dataset.sent) button.setAttribute("aria-busy", "true"); }, 400);
  setTimeout(() => { delete form.dataset.sent; if (button) button.removeAttribute("aria-busy"); }, 8000);
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Leaving a form with typed text asks first.
const typed = new Set();
document.addEventListener("input", (event) => { if (event.target.form && event.target.form.hasAttribute("data-keep")) typed.add(event.target.form); });
document.addEventListener("submit", (event) => typed.delete(event.target));
window.addEventListener("beforeunload", (event) => { if (typed.size) event.preventDefault(); });

// Files that are too large are said to be so where they are chosen, before anything is sent and what was typed beside them is lost.
document.addEventListener("change", (event) => {
  const { files } = event.target, { largest, tooLarge } = document.body.dataset;
  if (!files || !largest) return;
  const size = [...files].reduce((sum, file) => sum + file.size, 0);
  event.target.setCustomValidity(size > Number(largest) ? tooLarge : "");
  event.target.reportValidity();
});

for (const part of document.querySelectorAll("[data-live]")) follow(part);

// Who comes for the first time most likely reads the clock of their own computer.
for (const choice of document.querySelectorAll("select[data-own-zone]")) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...choice.options].some((option) => option.value === own)) choice.value = own;
}

// Time left ticks. A due time whose words are those that follow from its moment now goes on being counted; all others stay.
const ticks = JSON.parse(document.body.dataset.ticks || "null");
const MINUTE = 60_000, DAY = 1440;
function counted(at, now) {
  const late = at < now;
  const all = Math.floor(Math.abs(at - now) / MINUTE);
  if (!late && all > 7 * DAY) return null;
  const d = Math.floor(all / DAY), h = Math.floor((all % DAY) / 60), m = all % 60;
  const pattern = d ? (d < 14 && h ? ticks.daysHours : ticks.days) : h ? (m ? ticks.hoursMinutes : ticks.hours) : m ? ticks.minutes : ticks.moment;
  const span = pattern.replace("{d}", d).replace("{h}", h).replace("{m}", m);
  return { words: (late ? ticks.late : ticks.ahead).replace("{s}", span), tone: late ? "late" : all <= DAY ? "soon" : "far" };
}
function tick() {
  const now = Date.now();
  for (const time of document.querySelectorAll("time.due[datetime], .next time[datetime]")) {
    const at = Date.parse(time.dataset.at || time.getAttribute("datetime"));
    const is = counted(at, now);
    if (!is) continue;
    if (!time.dataset.at) {
      const was = [0, 1, 2].map((minutes) => counted(at, now - minutes * MINUTE)?.words);
      if (!was.includes(time.textContent.trim())) { time.removeAttribute("data-at"); continue; }
      time.dataset.at = time.getAttribute("datetime");
    }
    if (time.textContent !== is.words) time.textContent = is.words;
    const [holder, block] = time.closest(".next") ? [time.closest(".next"), "next"] : [time, "due"];
    for (const tone of ["late", "soon", "far"]) holder.classList.toggle(`${block}--${tone}`, tone === is.tone);
  }
}
if (ticks) { tick(); setInterval(tick, 20_000); }

// What was known at each moment: a slider in place of typing a time; it goes there when it is let go.
for (const form of document.querySelectorAll("[data-slider]")) {
  const slide = form.querySelector("input"), shown = form.querySelector("output"), stops = [...form.querySelectorAll("option")];
  const say = () => { shown.textContent = stops[Number(slide.value)].label; slide.setAttribute("aria-valuetext", shown.textContent); };
  slide.addEventListener("input", say);
  slide.addEventListener("change", () => {
    const at = stops[Number(slide.value)].dataset.at;
    location.assign(at ? `${location.pathname}?at=${encodeURIComponent(at)}` : location.pathname);
  });
  form.hidden = false;
  say();
}
