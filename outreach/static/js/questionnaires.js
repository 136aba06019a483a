// A questionnaire by keyboard: a number answers the question at hand and goes to the next, the
// arrows up and down move between questions. What was answered is kept on the server at once,
// so that asking can go on where it stopped. Nothing is kept in the browser.
"use strict";

(() => {
  const form = document.getElementById("asked");
  if (!form) return;
  const groups = [...form.querySelectorAll("fieldset")];
  const soFar = form.querySelector("[data-so-far]");
  let typed = "";
  let timer = null;
  let saving = Promise.resolve();

  const current = () => {
    const inside = document.activeElement?.closest("fieldset");
    return inside ?? groups.find((group) => !group.querySelector(":checked")) ?? null;
  };

  const goTo = (group) => {
    const target = group?.querySelector("input:checked") ?? group?.querySelector("input")
      ?? form.querySelector("button[type=submit]");
    target.focus();
    target.scrollIntoView({ block: "center" });
  };

  const post = async () => {
    try {
      const answer = await fetch(form.dataset.begun, {
        method: "POST",
        body: new FormData(form),
        redirect: "manual",
        headers: { "X-CSRFToken": form.querySelector("[name=csrf_token]").value },
      });
      soFar.textContent = answer.ok ? form.dataset.kept : form.dataset.offline;
      if (answer.ok && (await answer.json()).is_urgent) document.getElementById("stay").hidden = false;
    } catch (_error) {
      soFar.textContent = form.dataset.offline;
    }
  };
  // One after the other: an older answer never overtakes a newer one.
  const keep = () => { saving = saving.then(post); };
  form.addEventListener("change", keep);

  const answer = (group) => {
    const radio = group.querySelector(`input[value="${typed}"]`);
    typed = "";
    if (!radio) return;
    radio.checked = true;
    keep();
    goTo(groups[groups.indexOf(group) + 1]);
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const group = current();
    if (["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      const at = group ? groups.indexOf(group) : groups.length;
      goTo(groups[Math.max(0, at + (event.key === "ArrowDown" ? 1 : -1))]);
      return;
    }
    if (!group || !/^[0-9]$/.test(event.key)) return;
    event.preventDefault();
    typed += event.key;
    clearTimeout(timer);
    // '1' may be the beginning of '10': wait for the second figure where there can be one.
    const isWhole = !group.querySelector(`input[value="${typed}0"]`);
    if (isWhole) answer(group);
    else timer = setTimeout(() => answer(group), 600);
  });

  // Where it stopped last time.
  const first = groups.find((group) => !group.querySelector(":checked"));
  if (first && first !== groups[0]) goTo(first);
})();
