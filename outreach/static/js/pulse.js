// The monthly question by keyboard: a number answers, as in a questionnaire, and 0 puts it away.
"use strict";

(() => {
  const { isPlain, isFigure, isTyping, held, figures } = answerKeys;
  const form = document.getElementById("answer");
  const away = document.getElementById("away"); // not there once this month was answered
  const keys = document.getElementById("keys");
  let isSent = false; // one press is one answer, however quick the second one is

  const send = (what) => {
    if (isSent) return;
    isSent = true;
    what.requestSubmit();
  };
  const numbers = figures({
    find: (item, value) => item.querySelector(`[name=answer][value="${value}"]`),
    press: (choice) => {
      choice.checked = true;
      choice.focus();
      send(form);
    },
  });

  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || isTyping(event.target)) return;
    const key = held(event) || (isPlain(event) && form.dataset.keys !== "off" ? event.key : null);
    if (key === "?") keys.showModal();
    else if (key === null || !isFigure({ key })) return;
    else if (event.repeat) { /* a key that is held down answers once */ }
    else if (key !== "0") numbers.type(form, key);
    else if (away) send(away);
    else return;
    event.preventDefault();
  });
  // Back from the next page, this one is as it was left.
  window.addEventListener("pageshow", () => { isSent = false; });

  const opener = document.querySelector("[data-open-keys]");
  opener.addEventListener("click", () => keys.showModal());
  opener.hidden = false;
  form.closest("section").dataset.ready = "";
})();
