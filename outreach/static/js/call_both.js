// Two tabs, two texts about one call: both are shown, and the caller chooses. Nothing is merged
// by itself, and both lie on the server until somebody has chosen.
"use strict";

(() => {
  const form = document.getElementById("report");
  if (!form) return;

  const SKIPPED = new Set(
    ["csrf_token", "planned_call_id", "form_key", "note", "low_card", "low_asked"],
  ); // the page's own, and the note, which stands by itself
  const live = form.querySelector("[data-both=live]");
  const fields = () => [...form.elements].filter((each) => each.name && each.type !== "submit");
  const isTicked = (field) => field.type === "radio" || field.type === "checkbox";

  // What the page holds, in the shape in which drafts are kept.
  const here = () => {
    const answers = {};
    for (const [name, value] of new FormData(form)) (answers[name] ||= []).push(value);
    return answers;
  };
  const noteOf = (answers) => (answers.note || [""])[0].replaceAll("\r\n", "\n"); // as sent

  const label = (name, value) => {
    const field = fields().find((each) => each.name === name && (!isTicked(each) || each.value === value));
    if (!field) return null;
    const words = (field.getAttribute("aria-label") || field.labels?.[0]?.innerText || name).split("\n")[0];
    return isTicked(field) ? words : `${words}: ${value}`;
  };
  const describe = (answers, other) => {
    const lines = [noteOf(answers)];
    for (const [name, values] of Object.entries(answers)) {
      if (SKIPPED.has(name) || String(values) === String(other[name] || [])) continue;
      for (const value of values) if (value) lines.push(label(name, value));
    }
    return lines.filter(Boolean).join("\n");
  };

  const write = (answers) => {
    for (const field of fields()) {
      if (SKIPPED.has(field.name) && field.name !== "note") continue;
      const values = answers[field.name] || [];
      if (isTicked(field)) field.checked = values.includes(field.value);
      else if (values.length || field.tagName !== "SELECT") field.value = values[0] || "";
    }
  };
  // Joined: both notes, one after the other; elsewhere what is here, and theirs where nothing is.
  const joined = (mine, theirs) => {
    const both = { ...theirs };
    for (const [name, values] of Object.entries(mine)) if (values.some(Boolean)) both[name] = values;
    const [a, b] = [noteOf(theirs), noteOf(mine)];
    both.note = [a.includes(b) ? a : b.includes(a) ? b : `${a}\n\n${b}`];
    return both;
  };

  const show = (panel, other) => {
    const mine = here();
    panel.querySelector("[data-mine]").textContent = describe(mine, other.answers);
    panel.querySelector("[data-theirs]").textContent = describe(other.answers, mine);
    panel.hidden = false;
    panel.other = other;
  };
  form.addEventListener("draft:other", (event) => {
    const isNew = live.hidden;
    show(live, event.detail);
    if (isNew) live.scrollIntoView({ block: "nearest" });
  });
  form.querySelectorAll("[data-both=kept]").forEach((panel) => {
    show(panel, { answers: JSON.parse(panel.dataset.answers), tab: panel.dataset.tab });
  });

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-keep]");
    if (!button) return;
    const panel = button.closest("[data-both]");
    const { answers, tab, version } = panel.other;
    if (button.dataset.keep === "theirs") write(answers);
    if (button.dataset.keep === "both") write(joined(here(), answers));
    panel.hidden = true;
    const isHeld = [...form.querySelectorAll("[data-both]")].some((each) => !each.hidden);
    form.dispatchEvent(new CustomEvent("draft:settle", { detail: { tab, version, isHeld } }));
    form.querySelector("[name=note]").focus();
  });
})();
