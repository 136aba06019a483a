// A conversation: keeps what is typed on the server, sends with Ctrl+Enter, shows the last text.
// Nothing is kept in the browser.
"use strict";

(() => {
  const toEnd = () => {
    const lines = document.getElementById("lines");
    if (lines) lines.scrollTop = lines.scrollHeight;
  };
  toEnd();

  let wasAtEnd = true;
  let before = 0;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const lines = event.detail.target;
    before = lines.scrollTop;
    wasAtEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (wasAtEnd) toEnd();
    else document.getElementById("lines").scrollTop = before;
  });
  // At once with the lines, not when they have settled: somebody may send in between.
  document.addEventListener("htmx:afterSwap", () => {
    // What the page shows by now counts as read when it is answered.
    const newest = document.getElementById("lines").dataset.newest;
    document.querySelectorAll("[name=read_up_to]").forEach((field) => { field.value = newest; });
  });

  const form = document.getElementById("answer");
  if (!form) return;
  const SAVE_AFTER = 700; // ms of rest while typing
  const RETRY_AFTER = 4000;
  const words = form.querySelector("textarea");
  const status = form.querySelector("[data-saved]");
  let version = Number(form.dataset.version);
  let timer = null;
  let isSending = false;

  const say = (text, isTrouble) => {
    status.textContent = text;
    status.classList.toggle("saved--trouble", Boolean(isTrouble));
  };

  const save = async () => {
    const data = new FormData(form);
    data.set("version", String(version));
    say(form.dataset.saving);
    try {
      const answer = await fetch(form.dataset.draft, {
        method: "POST",
        body: data,
        redirect: "manual",
        headers: { "X-CSRFToken": form.querySelector("[name=csrf_token]").value },
      });
      if (answer.ok) {
        version = (await answer.json()).version;
        say(form.dataset.kept);
        return;
      }
      if (answer.status === 409) {
        say(form.dataset.elsewhere, true);
        return;
      }
    } catch (_error) {
      // told below, and tried again
    }
    say(form.dataset.offline, true);
    later(RETRY_AFTER);
  };
  // One after the other: an older text never overtakes a newer one.
  let saving = Promise.resolve();
  const later = (after) => {
    clearTimeout(timer);
    timer = setTimeout(() => { if (!isSending) saving = saving.then(save); }, after);
  };

  words.addEventListener("input", () => later(SAVE_AFTER));
  words.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    if (isSending) event.preventDefault();
    isSending = true;
    clearTimeout(timer);
  });
})();
