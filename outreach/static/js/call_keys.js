// The call screen by keyboard: every outcome is one key, and keys rest while somebody types.
"use strict";

(() => {
  const form = document.getElementById("report");
  if (!form) return;

  const note = form.querySelector("[name=note]");
  const start = document.querySelector("[data-start]");
  const keys = document.getElementById("keys");
  const outcomes = [...form.querySelectorAll("[name=outcome]")];
  const side = (option) => option.closest("[data-for]").dataset.for;
  const changed = (field) => field.dispatchEvent(new Event("input", { bubbles: true }));

  // Reached or not: choosing one offers the outcomes that belong to it, the commonest first.
  const choose = (answer) => {
    const wanted = outcomes.find((option) => option.checked && side(option) === answer)
      || outcomes.find((option) => side(option) === answer);
    wanted.checked = true;
    changed(wanted);
    return wanted;
  };
  const reach = (answer) => { form.querySelector(`[name=reached][value=${answer}]`).checked = true; };
  form.querySelectorAll("[name=reached]").forEach((radio) => {
    radio.addEventListener("change", () => choose(radio.value));
  });

  // An outcome by its key says by itself whether the patient was reached.
  const pick = (option) => {
    reach(side(option));
    option.checked = true;
    changed(option);
    option.focus();
  };
  const press = {
    1: () => { reach("yes"); choose("yes"); note.focus(); },
    2: () => { reach("no"); choose("no").focus(); },
    n: () => note.focus(),
    c: () => start && start.click(),
    "?": () => keys.showModal(),
  };
  for (const option of outcomes) {
    const key = option.dataset.key;
    if (key && !(key in press)) press[key] = () => pick(option);
  }

  const isTyping = (element) => element.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-save]"));
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (form.dataset.keys === "off" || document.querySelector("dialog[open]")) return;
    const act = press[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  });
  form.querySelector("[data-open-keys]").addEventListener("click", () => keys.showModal());
  form.dataset.ready = "";
})();
