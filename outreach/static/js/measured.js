// What was measured, on the call screen: a value that a nurse is told of, a meter's HI and LO, and
// danger signs, are answered while the patient is on the line, not after saving. The limits are
// those that hold for this patient, told by the server, which decides again.
"use strict";

(() => {
  const form = document.getElementById("report");
  const glucose = form?.querySelector("[name=glucose]");
  if (!glucose) return;
  const show = (name, isShown) => { form.querySelector(name).hidden = !isShown; };
  const LOW_FOR_ALL = 70; // mg/dL: below it somebody treats a low. Source: domain.md C2.
  const HIGH_FOR_ALL = 300;
  const LOOKS_LIKE_MMOL = 33; // mg/dL: a number below it was read in the other unit

  const watched = [...form.querySelectorAll("[data-told-low], [data-told-high]")];
  const unitOf = (field) => form.querySelector(`[name=${field.name}_unit]`);

  // The value in the unit of the limits; NaN where there is none.
  const canonical = (field) => {
    const factors = JSON.parse(field.dataset.factors);
    const unit = unitOf(field)?.value ?? Object.keys(factors)[0];
    return Number.parseFloat(field.value.replace(",", ".")) * factors[unit];
  };
  const side = (field) => {
    const value = canonical(field);
    if (value < Number.parseFloat(field.dataset.toldLow)) return "low";
    return value >= Number.parseFloat(field.dataset.toldHigh) ? "high" : "";
  };

  const judge = () => {
    const typed = glucose.value.trim().toUpperCase();
    const value = canonical(glucose);
    const isLikely = unitOf(glucose).value === "mmol/L" || !(value < LOOKS_LIKE_MMOL);
    const told = isLikely ? side(glucose) : "";
    const isLow = ["LO", "LOW"].includes(typed) || (told === "low" && value < LOW_FOR_ALL);
    const isHigh = ["HI", "HIGH"].includes(typed) || (told === "high" && value >= HIGH_FOR_ALL);
    show("[data-glucose=low]", isLow);
    show("[data-glucose=high]", isHigh);
    const isBeyond = watched.some((field) => (field === glucose ? told && !isLow && !isHigh : side(field)));
    show("[data-beyond]", isBeyond);
  };
  for (const field of watched) {
    field.addEventListener("change", judge);
    unitOf(field)?.addEventListener("change", judge);
  }
  judge();

  const danger = form.querySelector("[name=signs][value=danger]");
  const warn = () => show("[data-signs-danger]", danger.checked);
  danger.addEventListener("change", warn);
  warn();
})();
