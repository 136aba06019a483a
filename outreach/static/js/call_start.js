// Starting the call leaves the page as it is: what is typed and pressed meanwhile stays here, and
// only the part with the telephone is new. Also the clock of the call.
"use strict";

(() => {
  const form = document.getElementById("report");
  if (!form) return;
  const PATIENCE = 15000; // ms; then as without scripts: the browser shows what the server says
  const minutes = form.querySelector("[name=minutes]");
  let isStarting = false;

  const count = () => {
    const clock = document.querySelector("[data-call-clock]");
    if (!clock) return;
    const began = Date.now() - 1000 * clock.dataset.seconds; // a wrong clock here counts right too
    const shown = clock.querySelector("[data-timer]");
    const tick = () => {
      const seconds = Math.max(0, Math.floor((Date.now() - began) / 1000));
      shown.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    };
    tick();
    setInterval(tick, 1000);
    // Minutes follow the clock until somebody writes their own.
    if (minutes && !minutes.value) minutes.placeholder = form.querySelector("[data-words]").dataset.auto;
  };

  const put = (fresh) => {
    const scripts = [...fresh.querySelectorAll("script[src]")].map((each) => each.getAttribute("src"));
    document.querySelector(".call-head__phone").replaceWith(fresh);
    scripts.forEach((src) => fresh.append(Object.assign(document.createElement("script"), { src })));
    count();
    const save = form.querySelector("[data-save]");
    save.classList.replace("btn-quiet", "btn-primary");
  };

  // Anything but the same call, started, is for the browser to show.
  const start = async (pressed) => {
    const answer = await fetch(pressed.action, {
      method: "POST", body: new FormData(pressed), signal: AbortSignal.timeout(PATIENCE),
    });
    const isHere = answer.ok && new URL(answer.url).pathname === window.location.pathname;
    if (!isHere) return false;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector(".call-head__phone");
    if (!fresh || !fresh.querySelector("[data-call-clock], [data-phone]")) return false;
    put(document.adoptNode(fresh));
    return true;
  };

  // Before call.js, which takes every other form for one that leaves the page.
  document.addEventListener("submit", (event) => {
    const pressed = event.target;
    if (!pressed.querySelector("[data-start]") || !navigator.onLine) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (isStarting) return;
    isStarting = true;
    start(pressed)
      .catch(() => false)
      .then((isStarted) => {
        isStarting = false;
        if (!isStarted) form.dispatchEvent(new CustomEvent("call:leave", { detail: { go: () => pressed.submit() } }));
      });
  }, true);

  count();
})();
