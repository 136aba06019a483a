// One conversation: new texts appear by themselves, and what is typed is kept on the server.
"use strict";

(() => {
  const PAUSE = 1200; // ms after the last key
  const REFRESH = 15000; // ms
  const lines = document.querySelector("[data-lines]");
  setInterval(() => {
    if (lines && !document.hidden && window.htmx) window.htmx.trigger(lines, "refresh");
  }, REFRESH);
  // A page that refreshes itself is nobody at the keyboard.
  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-Background"] = "1";
  });

  const form = document.querySelector("[data-draft]");
  if (!form) return;
  const text = form.querySelector("textarea");
  const kept = form.querySelector("[data-kept]");
  let timer = null;
  let isDirty = false;
  let isSending = false;

  const save = async () => {
    if (!isDirty || isSending) return;
    isDirty = false;
    const body = new FormData();
    body.set("text", text.value);
    try {
      const answer = await fetch(form.dataset.draft, {
        method: "POST",
        body,
        redirect: "manual",
        keepalive: true,
        headers: { "X-CSRFToken": form.elements.csrf_token.value },
      });
      if (answer.status !== 204) throw new Error(String(answer.status));
      kept.textContent = kept.dataset.saved;
    } catch {
      isDirty = true;
      kept.textContent = kept.dataset.failed;
    }
  };

  text.addEventListener("input", () => {
    isDirty = true;
    kept.textContent = "";
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE);
  });
  form.addEventListener("submit", () => {
    isSending = true;
    clearTimeout(timer);
  });
  window.addEventListener("pagehide", save);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) save();
  });
})();
