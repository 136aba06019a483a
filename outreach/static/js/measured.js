// What was measured, on the call screen: a meter's HI and LO, and danger signs, are answered
// while the patient is on the line. Numbers are call.js's. The server decides again.
"use strict";

(() => {
  const form = document.getElementById("report");
  const glucose = form?.querySelector("[name=glucose]");
  if (!glucose) return;
  const show = (name, isShown) => { form.querySelector(name).hidden = !isShown; };

  const judge = () => {
    const typed = glucose.value.trim().toUpperCase();
    if (["HI", "HIGH"].includes(typed)) show("[data-glucose=high]", true);
    if (["LO", "LOW"].includes(typed)) show("[data-glucose=low]", true);
  };
  glucose.addEventListener("change", judge);
  form.querySelector("[name=glucose_unit]").addEventListener("change", judge);
  judge();

  const danger = form.querySelector("[name=signs][value=danger]");
  const warn = () => show("[data-signs-danger]", danger.checked);
  danger.addEventListener("change", warn);
  warn();
})();
