// What was measured, on the call screen: a value that a nurse is told of, a meter's HI and LO, and
// danger signs, are answered while the patient is on the line, not after saving. The limits are
// those that hold for this patient, told by the server, which decides again.
"use strict";

(() => {
  const form = document.getElementById("report");
  const glucose = form?.querySelector("[name=glucose]");
  if (!glucose) return;
  const card = form.querySelector("[data-low-card]"); // read aloud with a low blood sugar
  let wasLow = card.open;
  const show = (name, isShown) => { form.querySelector(name).hidden = !isShown; };
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

  // Whether the value is one of now: the card is not read for last week's. No day: just measured.
  const isFresh = () => {
    const [on, at] = ["glucose_on", "glucose_at"].map((name) => form.querySelector(`[name=${name}]`));
    if (!on.value) return true;
    return `${on.value}T${at.value || "12:00"}` >= card.dataset.freshSince;
  };

  const judge = () => {
    const typed = glucose.value.trim().toUpperCase();
    const value = canonical(glucose);
    const isReadBack = form.querySelector("[name=is_confirmed]")?.checked;
    const isLikely = isReadBack || unitOf(glucose).value === "mmol/L" || !(value < LOOKS_LIKE_MMOL);
    const told = isLikely ? side(glucose) : "";
    const isLow = ["LO", "LOW"].includes(typed) || told === "low";
    const isHigh = ["HI", "HIGH"].includes(typed) || (told === "high" && value >= HIGH_FOR_ALL);
    const isLowNow = isLow && isFresh();
    show("[data-glucose=low]", isLowNow);
    if (isLowNow !== wasLow) card.open = isLowNow;
    wasLow = isLowNow;
    show("[data-glucose=high]", isHigh);
    if (isLow || isHigh) form.querySelector("[data-signs]").open = true; // asked now: they change what is done
    const isBeyond = watched.some((field) => (field === glucose ? told && !isLow && !isHigh : side(field)));
    show("[data-beyond]", isBeyond);
  };
  for (const field of watched) {
    field.addEventListener("change", judge);
    unitOf(field)?.addEventListener("change", judge);
  }
  for (const name of ["glucose_on", "glucose_at", "is_confirmed"]) {
    form.querySelector(`[name=${name}]`)?.addEventListener("change", judge);
  }
  judge();

  const danger = form.querySelector("[name=signs][value=danger]");
  const warn = () => show("[data-signs-danger]", danger.checked);
  danger.addEventListener("change", warn);
  warn();
})();
