// Keeps a page current: sections arrive as server-sent events and replace those of the same id.
"use strict";
(() => {
  const SILENCE = 25000; // ms; the server says something every ten seconds
  const main = document.getElementById("main");
  const pulse = document.getElementById("pulse");
  const lost = document.getElementById("lost");
  const who = document.getElementById("who");
  const waiting = new Map(); // sections that came while somebody was typing in them
  let ahead = main.dataset.now ? Date.now() - main.dataset.now * 1000 : 0; // how far our clock is before the server's
  let lastSeen = Date.now() - ahead;

  function connect() {
    if (!main.dataset.stream) return;
    const source = new EventSource(location.pathname.replace(/\/+$/, "") + main.dataset.stream);
    let heard = Date.now();
    const hear = (at) => { heard = Date.now(); ahead = heard - at * 1000; standing(true); };
    source.onmessage = (event) => { const section = JSON.parse(event.data); hear(section.at); take(section); };
    source.addEventListener("pulse", (event) => hear(Number(event.data)));
    source.onerror = () => { standing(false); if (source.readyState === EventSource.CLOSED) again(); };
    const watch = setInterval(() => { if (Date.now() - heard > SILENCE) again(); }, 1000);
    function again() { // a line that is cut without a word is open for ever, but says nothing
      clearInterval(watch);
      source.close();
      standing(false);
      setTimeout(connect, 3000);
    }
  }

  function standing(live) {
    if (live) lastSeen = Date.now() - ahead;
    if (pulse) { pulse.textContent = live ? "live" : "not live"; pulse.classList.toggle("on", live); }
    lost.hidden = live;
    lost.querySelector("time").textContent = new Date(lastSeen).toISOString().slice(11, 19) + " UTC";
  }

  function take(section) {
    const old = document.getElementById(section.id);
    if (!old || old.dataset.mark === section.mark) return;
    const active = document.activeElement;
    if (old.contains(active) && active.matches("input:not([type=hidden]), textarea, select")) {
      waiting.set(section.id, section);
      return;
    }
    const key = old.contains(active) ? active.dataset.key : null;
    const opened = [...old.querySelectorAll("details[open][id]")].map((d) => d.id);
    old.innerHTML = section.html;
    old.dataset.mark = section.mark;
    for (const id of opened) { const d = document.getElementById(id); if (d) d.open = true; }
    if (key) { const again = old.querySelector(`[data-key="${CSS.escape(key)}"]`); (again || main).focus(); }
    old.classList.remove("fresh");
    void old.offsetWidth; // the animation starts anew only after a layout
    old.classList.add("fresh");
    arrange(old);
  }

  function arrange(within) {
    age(within);
    due(within);
    for (const pan of within.querySelectorAll(".pan")) pan.scrollLeft = pan.scrollWidth; // the newest in sight
  }

  document.addEventListener("focusout", () => setTimeout(() => {
    for (const [id, section] of waiting) { waiting.delete(id); take(section); }
  }, 200));

  function age(within) {
    for (const time of within.querySelectorAll("time[data-age]")) {
      const s = Math.max(0, Math.round((Date.now() - ahead - Date.parse(time.dateTime)) / 1000));
      const text = s < 60 ? `${s} s ago` : s < 3600 ? `${Math.floor(s / 60)} min ago`
        : s < 86400 ? `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min ago` : `${Math.floor(s / 86400)} d ago`;
      if (time.textContent !== text) time.textContent = text;
    }
  }

  function due(within) {
    for (const time of within.querySelectorAll("time[data-due]")) {
      const s = Math.round((Date.parse(time.dateTime) - Date.now() + ahead) / 1000), far = Math.abs(s);
      const span = far < 60 ? `${far} s` : far < 3600 ? `${Math.floor(far / 60)} min` : far < 86400
        ? `${Math.floor(far / 3600)} h ${Math.floor(far % 3600 / 60)} min` : `${Math.floor(far / 86400)} d`;
      const text = s < 0 ? `${span} ago` : `in ${span}`;
      if (time.textContent !== text) time.textContent = text;
    }
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.getAttribute("action") !== "/do") return;
    event.preventDefault();
    if (form.dataset.confirm && !confirm(form.dataset.confirm)) return;
    const fields = new URLSearchParams(new FormData(form));
    fields.set("by", who ? who.value.trim() : "");
    const button = form.querySelector("button");
    button.setAttribute("aria-busy", "true");
    button.disabled = true;
    form.parentElement.querySelector(".failed")?.remove();
    try {
      const answer = await fetch("/do", { method: "POST", body: fields, redirect: "manual" });
      if (answer.type !== "opaqueredirect") throw new Error((await answer.text()).trim());
      setTimeout(() => { button.disabled = false; button.removeAttribute("aria-busy"); }, 4000);
    } catch (error) {
      button.disabled = false;
      button.removeAttribute("aria-busy");
      const said = document.createElement("p");
      said.className = "failed";
      said.setAttribute("role", "alert");
      said.textContent = `Not done: ${error.message}`;
      form.after(said);
    }
  });

  document.addEventListener("pointermove", (event) => {
    const svg = event.target.closest?.("svg.plot");
    for (const cursor of document.querySelectorAll("svg.plot .cursor:not([hidden])")) {
      if (!svg || !svg.contains(cursor)) {
        cursor.setAttribute("hidden", "");
        cursor.closest("figure").querySelector(".reading").textContent = "";
      }
    }
    if (!svg) return;
    svg.points ??= JSON.parse(svg.dataset.points);
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
    const near = svg.points.reduce((a, b) => Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a, [1e9, 0, ""]);
    const cursor = svg.querySelector(".cursor");
    const line = cursor.querySelector("line"), dot = cursor.querySelector("circle");
    for (const end of ["x1", "x2"]) line.setAttribute(end, near[0]);
    dot.setAttribute("cx", near[0]);
    dot.setAttribute("cy", near[1]);
    cursor.removeAttribute("hidden");
    svg.closest("figure").querySelector(".reading").textContent = near[2];
  });

  if (who) {
    who.value = localStorage.getItem("forewarn-who") || "";
    who.addEventListener("input", () => localStorage.setItem("forewarn-who", who.value));
  }
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
  });
  arrange(document);
  setInterval(() => { age(document); due(document); }, 1000);
  connect();
})();
