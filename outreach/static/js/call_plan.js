// Changes of the plan during a call happen in place: the page, its draft and its clock stay.
"use strict";

(() => {
  const PATIENCE = 8000; // ms to wait for an answer

  // A press of a button sends its form; the same part of the answer takes its place.
  document.addEventListener("submit", async (event) => {
    const part = event.target.closest("[data-in-place]");
    if (!part || event.defaultPrevented) return;
    event.preventDefault();
    const { target, submitter } = event;
    const place = [...part.querySelectorAll("button")].indexOf(submitter);
    const data = new FormData(target, submitter);
    data.set("csrf_token", document.querySelector("#report [name=csrf_token]").value);
    part.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(target.action, {
        method: "POST", body: data, signal: AbortSignal.timeout(PATIENCE),
      });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(part.id);
      if (!answer.ok || !fresh) throw new Error("not this page");
      part.replaceWith(fresh);
      const buttons = fresh.querySelectorAll("button");
      (buttons[place] || fresh).focus({ preventScroll: true });
    } catch (_error) {
      part.removeAttribute("aria-busy");
      const says = part.querySelector("[role=status]");
      says.textContent = part.dataset.offline;
      says.classList.add("saved--trouble");
    }
  });

  const later = (day, days) => {
    const noon = new Date(`${day}T12:00:00Z`);
    noon.setUTCDate(noon.getUTCDate() + Number(days));
    return noon.toISOString().slice(0, 10);
  };

  // Weeks of a pause count from its first day, today where there is none; one that was chosen
  // goes along with it.
  const countFrom = (group, field) => {
    const first = document.querySelector(`#report [name=${group.dataset.from}]`);
    first.addEventListener("input", () => {
      const buttons = [...group.querySelectorAll("button")];
      const chosen = buttons.find((each) => each.value === field.value);
      buttons.forEach((each) => {
        each.value = later(first.value || group.dataset.today, each.dataset.days);
      });
      if (chosen) field.value = chosen.value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
  };

  // Days and times in one press: each button writes into its field.
  document.querySelectorAll("[data-sets]").forEach((group) => {
    const field = document.querySelector(`#report [name=${group.dataset.sets}]`);
    const show = () => group.querySelectorAll("button").forEach((each) => {
      each.setAttribute("aria-pressed", String(each.value === field.value));
    });
    group.addEventListener("click", (event) => {
      const pressed = event.target.closest("button");
      if (!pressed) return;
      field.value = pressed.value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    field.addEventListener("input", show);
    if (group.dataset.from) countFrom(group, field);
    group.hidden = false;
    show();
  });
})();
