// A questionnaire by keyboard: a number answers the question at hand and goes to the next.
"use strict";

(() => {
  const form = document.getElementById("asked");
  if (!form) return;
  const groups = [...form.querySelectorAll("fieldset")];
  let typed = "";
  let timer = null;

  const current = () => {
    const inside = document.activeElement?.closest("fieldset");
    return inside ?? groups.find((group) => !group.querySelector(":checked")) ?? null;
  };

  const answer = (group) => {
    const radio = group.querySelector(`input[value="${typed}"]`);
    typed = "";
    if (!radio) return;
    radio.checked = true;
    const next = groups[groups.indexOf(group) + 1];
    const target = next?.querySelector("input:checked, input") ?? form.querySelector("button[type=submit]");
    target.focus();
    target.scrollIntoView({ block: "center" });
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !/^[0-9]$/.test(event.key)) return;
    const group = current();
    if (!group) return;
    event.preventDefault();
    typed += event.key;
    clearTimeout(timer);
    // '1' may be the beginning of '10': wait for the second figure where there can be one.
    const isWhole = !group.querySelector(`input[value="${typed}0"]`);
    if (isWhole) answer(group);
    else timer = setTimeout(() => answer(group), 600);
  });
})();
