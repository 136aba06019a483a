// Who walks away leaves no patient on the screen: asked a minute before, then the page is emptied
// and the session ended. What is typed lies on the server by then; where it does not, it waits
// behind an empty page. A touch in any tab is one in all.
"use strict";

(() => {
  const dialog = document.getElementById("still-there");
  if (!dialog) return;

  const IDLE = Number(dialog.dataset.minutes) * 60_000;
  const WARNED = 60_000; // ms before that
  const SERVER_TOLD = Math.min(IDLE / 3, 300_000); // ms, at most, between two touches it hears of
  const TABS_TOLD = 2000;
  const LOOKED = 1000;
  const AGAIN = 5000; // ms until what waits is tried again
  const PATIENCE = 8000;
  const left = dialog.querySelector("[data-left]");
  const tabs = new BroadcastChannel("outreach: somebody is there");
  let touched = Date.now();
  let serverTold = touched;
  let tabsTold = 0;
  let untold = null; // what tells it again
  let isOver = false;

  // Until it has heard: its own quarter of an hour may be nearly over.
  const tellServer = async () => {
    serverTold = Date.now();
    clearTimeout(untold);
    try {
      const heard = await fetch(dialog.dataset.token, {
        headers: { Accept: "application/json" }, redirect: "manual", signal: AbortSignal.timeout(PATIENCE),
      });
      if (heard.status < 500) return;
    } catch (_error) { /* no connection */ }
    untold = setTimeout(() => { if (!isOver) tellServer(); }, AGAIN);
  };
  const stay = (at) => {
    touched = Math.max(touched, at);
    if (dialog.open) dialog.close();
  };
  let pointer = "";
  const isMoved = ({ screenX, screenY }) => { // a page that changes below a pointer at rest moves none
    const before = pointer;
    pointer = `${screenX} ${screenY}`;
    return pointer !== before;
  };
  // Whoever listened to a patient for a quarter of an hour stays by typing on or pressing anywhere.
  // Not by a mere move: the press that follows would meet what lies below the question.
  const BUTTONS_KEYS = ["Enter", " ", "Escape", "Tab"];
  const answers = ({ type, key }) => type === "pointerdown" || (type === "keydown" && !BUTTONS_KEYS.includes(key));
  const notice = (event) => {
    if (event.type === "pointermove" && !isMoved(event)) return;
    if (!dialog.open) { touch(); return; }
    if (event.type === "keydown") event.stopPropagation(); // no shortcut acts behind the question
    if (!isOver && answers(event)) dialog.close();
  };
  const touch = () => {
    if (isOver || dialog.open) return;
    const now = Date.now();
    if (now - touched >= IDLE) { leave(); return; } // the first touch after a sleep
    touched = now;
    if (now - serverTold > SERVER_TOLD) tellServer();
    if (now - tabsTold < TABS_TOLD) return;
    tabsTold = now;
    tabs.postMessage(now);
  };

  const leave = async () => {
    if (!isOver) {
      isOver = true;
      if (dialog.open) dialog.close();
      document.querySelector(".shell").hidden = true; // and every dialog in it
      document.title = "Outreach";
      dialog.querySelector("[data-asked]").hidden = true;
      dialog.querySelector("[data-over]").hidden = false;
      dialog.showModal();
    }
    const isSaved = document.dispatchEvent(new Event("away:leave", { cancelable: true }));
    dialog.querySelector("[data-waits]").hidden = isSaved;
    if (isSaved) {
      try {
        const body = new URLSearchParams({ csrf_token: dialog.dataset.csrf });
        await fetch(dialog.dataset.out, { method: "POST", body, redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
        const { pathname, search } = window.location;
        const back = new URLSearchParams({ next: pathname + search, away: "1" });
        window.location.replace(`${dialog.dataset.in}?${back}`);
        return;
      } catch (_error) { /* no connection: the page stays empty */ }
    }
    setTimeout(leave, AGAIN);
  };

  const look = () => {
    if (isOver) return;
    const rest = touched + IDLE - Date.now();
    if (rest <= 0) { leave(); return; }
    if (rest > WARNED) return;
    left.textContent = String(Math.ceil(rest / 1000));
    if (!dialog.open) dialog.showModal();
  };

  ["pointerdown", "pointermove", "keydown", "wheel", "touchmove"].forEach((kind) => {
    document.addEventListener(kind, notice, { capture: true, passive: true });
  });
  tabs.addEventListener("message", ({ data }) => { if (!isOver) stay(data); });
  dialog.addEventListener("close", () => { serverTold = tabsTold = 0; touch(); });
  dialog.addEventListener("cancel", (event) => { if (isOver) event.preventDefault(); });
  document.addEventListener("visibilitychange", look);
  // Back, from the page that asks who one is: what was here is asked for anew.
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
  setInterval(look, LOOKED);
})();
