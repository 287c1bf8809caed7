// Looks answers up while somebody types, and says which of them helped.
"use strict";
(() => {
  const PAUSE = 350; // ms without a key before a look-up
  const form = document.querySelector("form.question");
  const found = document.getElementById("found");
  let timer = 0, turn = 0;

  async function look() {
    const mine = ++turn;
    const fields = new URLSearchParams(new FormData(form));
    try {
      const answer = await fetch("/answers", { method: "POST", body: fields, headers: { "X-Part": "found" } });
      if (!answer.ok) throw new Error((await answer.text()).trim());
      const html = await answer.text();
      if (mine === turn) found.innerHTML = html;
    } catch (error) {
      if (mine === turn) fail(found, `Not looked up: ${error.message}`);
    }
  }

  function fail(where, words) {
    where.parentElement.querySelector(".failed")?.remove();
    const said = document.createElement("p");
    said.className = "failed";
    said.setAttribute("role", "alert");
    said.textContent = words;
    where.after(said);
  }

  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, PAUSE); });
  form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(timer); look(); });

  found.addEventListener("submit", async (event) => {
    event.preventDefault();
    const pressed = event.target;
    const fields = new URLSearchParams(new FormData(pressed));
    fields.set("by", document.getElementById("who")?.value.trim() ?? "");
    try {
      const answer = await fetch("/answers/outcome", { method: "POST", body: fields, redirect: "manual" });
      if (answer.type !== "opaqueredirect") throw new Error((await answer.text()).trim());
      const said = document.createElement("span");
      said.className = "noted";
      said.textContent = fields.get("do") === "helped" ? "Noted: it helped." : "Noted: it did not help.";
      for (const other of [...pressed.parentElement.querySelectorAll("form")]) if (other !== pressed) other.remove();
      pressed.replaceWith(said);
    } catch (error) {
      fail(pressed, `Not noted: ${error.message}`);
    }
  });
})();
