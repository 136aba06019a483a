// The call screen by keyboard: every outcome is one key. Keys rest while somebody types; held
// together with Alt and Shift they work there too, and where single keys are switched off.
"use strict";

(() => {
  const form = document.getElementById("report");
  if (!form) return;
  const { isTyping, held } = answerKeys;

  const note = form.querySelector("[name=note]");
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
    c: () => document.querySelector("[data-start]")?.click(),
    q: () => document.dispatchEvent(new Event("questionnaire:open")),
    "?": () => keys.showModal(),
  };
  for (const option of outcomes) {
    const key = option.dataset.key;
    if (key && !(key in press)) press[key] = () => pick(option);
  }

  const isOf = (element, names) => element.form === form && names.includes(element.name);
  const bare = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return null;
    // A questionnaire that is being asked has keys of its own: asking.js.
    if (event.target.closest("[data-asking]")) return event.key === "?" ? "?" : null;
    return form.dataset.keys === "off" ? null : event.key.toLowerCase();
  };
  // The call is on its way: a key is for the next page, and does nothing here.
  const refuse = (event) => {
    if (!/^(.|Enter)$/u.test(event.key)) return;
    event.preventDefault();
    const notice = document.querySelector("[data-late]");
    notice.hidden = false;
    notice.scrollIntoView({ block: "nearest" });
  };
  let acted = null; // a key that did something: held down, it does so once, and is not typed into the note
  document.addEventListener("keydown", (event) => {
    if ("sending" in form.dataset) { refuse(event); return; }
    if (document.querySelector("dialog[open]")) return;
    const isSave = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (event.repeat && (isSave || event.key === acted)) { event.preventDefault(); return; }
    acted = null;
    if (isSave) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-save]"));
      return;
    }
    // Enter alone saves from how it ended, and from nowhere else: a slip is no record.
    if (event.key === "Enter" && event.target.form === form && event.target.matches("input")) {
      event.preventDefault();
      if (isOf(event.target, ["outcome", "reached"])) form.requestSubmit(form.querySelector("[data-save]"));
      return;
    }
    const act = press[held(event) || bare(event)];
    if (!act) return;
    event.preventDefault();
    acted = event.key;
    act();
  });

  // A call that was interrupted goes on at the first question without an answer.
  const unanswered = () => {
    const chosen = outcomes.find((option) => option.checked);
    if (!chosen) return form.querySelector("[name=reached]");
    const asked = chosen.value === "reached_call_back" ? ["callback_on", "callback_at"] : [];
    const words = side(chosen) === "yes" ? [note] : [];
    const fields = [...asked.map((name) => form.elements[name]), ...words];
    return fields.find((field) => !field.value) || chosen;
  };
  if (Number(form.dataset.version) > 0 && !document.getElementById("error-summary")) {
    unanswered().focus();
  }
  form.querySelector("[data-open-keys]").addEventListener("click", () => keys.showModal());
  form.dataset.ready = "";
})();
