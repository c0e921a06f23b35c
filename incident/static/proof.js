"use strict";
// Finds the number that a form for strangers asks for (incident/domain/tickets.py), while the person reads and writes.
// Without it the form is taken all the same, once some seconds have gone by.
(() => {
  const primes = [];
  for (let n = 2; primes.length < 64; n += 1) if (primes.every((p) => n % p)) primes.push(n);
  const part = (x) => ((x - Math.floor(x)) * 4294967296) | 0;
  const K = primes.map((p) => part(Math.cbrt(p)));
  const H = primes.slice(0, 8).map((p) => part(Math.sqrt(p)));
  const W = new Int32Array(64);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));

  function block(state, words, at) {
    for (let i = 0; i < 64; i += 1) {
      if (i < 16) { W[i] = words[at + i]; continue; }
      const a = W[i - 15], b = W[i - 2];
      W[i] = (W[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + W[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10))) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i += 1) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
    }
    return [a, b, c, d, e, f, g, h].map((x, i) => (x + state[i]) | 0);
  }

  function padded(text) {  // ASCII alone: a ticket and a number
    const length = text.length, words = new Int32Array((((length + 8) >> 6) + 1) * 16);
    for (let i = 0; i < length; i += 1) words[i >> 2] |= text.charCodeAt(i) << (24 - (i & 3) * 8);
    words[length >> 2] |= 0x80 << (24 - (length & 3) * 8);
    words[words.length - 1] = length * 8;
    return words;
  }

  function zeros(text) {
    const words = padded(text);
    let state = H;
    for (let at = 0; at < words.length; at += 16) state = block(state, words, at);
    return Math.clz32(state[0]);
  }

  // What is too large would take everything else that was written with it: it is said before the form is sent.
  document.querySelectorAll("input[type=file][data-largest]").forEach((field) => {
    field.addEventListener("change", () => {
      const files = [...field.files], largest = Number(field.dataset.largest);
      const fits = files.length <= Number(field.dataset.most) && files.every((one) => one.size <= largest);
      field.setCustomValidity(fits ? "" : field.dataset.sorry);
      field.reportValidity();
    });
  });

  document.querySelectorAll("form[data-ticket]").forEach((form) => {
    const field = form.elements.namedItem("proof"), ticket = form.dataset.ticket, bits = Number(form.dataset.bits);
    let next = 0, waits = false, button = null;
    if (!field || bits > 32) return;
    (function look() {
      const until = performance.now() + 20;
      while (performance.now() < until) {
        for (let i = 0; i < 64; i += 1, next += 1) {
          if (zeros(`${ticket}.${next}`) >= bits) { field.value = String(next); if (waits) form.requestSubmit(button); return; }
        }
      }
      setTimeout(look, 0);
    })();
    form.addEventListener("submit", (event) => {
      if (field.value) return;
      event.preventDefault();  // sent by itself once the number is there
      waits = true;
      button = event.submitter;
      form.setAttribute("aria-busy", "true");
    });
  });
})();
