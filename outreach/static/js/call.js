// The call screen: saves what is typed, counts the minutes, knows a few keys.
// Nothing is ever kept in the browser's own storage.
"use strict";

(() => {
  const form = document.getElementById("report");
  if (!form) return;

  const SAVE_AFTER = 700; // ms of rest while typing
  const RETRY_AFTER = 4000; // ms after a save that did not get through
  const words = {
    saving: "Saving …",
    saved: (time) => `Saved ${time}`,
    offline: "Not saved: no connection. Keep typing; trying again.",
    signedOut: "Not saved: you are signed out. Sign in in a new tab; your text stays here.",
    elsewhere: "Not saved: this call is open in another tab. Copy your text before closing this one.",
    refused: "Not saved: this call was recorded or has too much text.",
  };
  const status = form.querySelector("[data-saved]");
  let version = Number(form.dataset.version);
  let timer = null;
  let isDirty = false;
  let inFlight = null;
  let isSubmitting = false;

  const say = (text, isTrouble) => {
    status.textContent = text;
    status.classList.toggle("saved--trouble", Boolean(isTrouble));
    if (isTrouble && text === words.signedOut) {
      const link = document.createElement("a");
      link.href = form.dataset.signIn;
      link.target = "_blank";
      link.textContent = "Sign in";
      status.append(" ", link);
    }
  };

  const freshToken = async () => {
    const answer = await fetch(form.dataset.token, { headers: { Accept: "application/json" }, redirect: "error" });
    if (!answer.ok) return false;
    const { token } = await answer.json();
    form.querySelector("[name=csrf_token]").value = token;
    return true;
  };

  const post = async () => {
    const data = new FormData(form);
    data.set("version", String(version));
    return fetch(form.dataset.draft, {
      method: "POST",
      body: data,
      redirect: "manual",
      headers: { "X-CSRFToken": form.querySelector("[name=csrf_token]").value },
    });
  };

  const understand = async (answer) => {
    if (answer.ok) {
      version = (await answer.json()).version;
      const now = new Date();
      say(words.saved(now.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" })));
      return true;
    }
    if (answer.status === 409) {
      say(words.elsewhere, true);
      return false;
    }
    if (answer.type === "opaqueredirect" || answer.status === 400 || answer.status === 401) {
      isDirty = true;
      try {
        if (await freshToken()) return save();
      } catch (_error) { /* still signed out */ }
      say(words.signedOut, true);
      later(RETRY_AFTER);
      return false;
    }
    say(answer.status >= 500 ? words.offline : words.refused, true);
    if (answer.status >= 500) { isDirty = true; later(RETRY_AFTER); }
    return false;
  };

  const save = async () => {
    clearTimeout(timer);
    isDirty = false;
    say(words.saving);
    try {
      return await understand(await post());
    } catch (_error) {
      isDirty = true;
      say(words.offline, true);
      later(RETRY_AFTER);
      return false;
    }
  };

  const flush = async () => {
    if (inFlight) await inFlight;
    if (!isDirty) return true;
    inFlight = save().finally(() => { inFlight = null; });
    return inFlight;
  };

  const later = (delay) => {
    clearTimeout(timer);
    timer = setTimeout(flush, delay);
  };

  document.addEventListener("input", (event) => {
    if (event.target.form !== form || isSubmitting) return;
    isDirty = true;
    later(SAVE_AFTER);
  });
  window.addEventListener("online", () => { if (isDirty) flush(); });
  window.addEventListener("beforeunload", (event) => {
    if (isDirty && !isSubmitting) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden && isDirty) flush(); });

  // Save fires once, and not into a dead line.
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isSubmitting) return;
    isSubmitting = true;
    clearTimeout(timer);
    const button = event.submitter;
    try {
      if (inFlight) await inFlight;
      const alive = await fetch(form.dataset.token, { headers: { Accept: "application/json" }, redirect: "error" });
      if (!alive.ok) throw new Error("signed out");
      form.querySelector("[name=csrf_token]").value = (await alive.json()).token;
    } catch (error) {
      isSubmitting = false;
      isDirty = true;
      say(error.message === "signed out" ? words.signedOut : words.offline, true);
      later(RETRY_AFTER);
      return;
    }
    if (button && button.name) {
      const chosen = document.createElement("input");
      chosen.type = "hidden";
      chosen.name = button.name;
      chosen.value = button.value;
      form.append(chosen);
    }
    form.querySelectorAll("button").forEach((each) => { each.disabled = true; });
    say(words.saving);
    form.submit();
  });

  // Minutes follow the clock until somebody writes their own.
  const clock = document.querySelector("[data-started]");
  if (clock) {
    const began = Date.parse(clock.dataset.started);
    const shown = clock.querySelector("[data-timer]");
    const tick = () => {
      const seconds = Math.max(0, Math.floor((Date.now() - began) / 1000));
      shown.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    };
    tick();
    setInterval(tick, 1000);
  }
  const minutes = form.querySelector("[name=minutes]");
  if (minutes && clock && !minutes.value) minutes.placeholder = "auto";

  const start = document.querySelector("[data-start]");

  // Reached or not: choosing one offers the outcomes that belong to it.
  const outcomes = [...form.querySelectorAll("[name=outcome]")];
  const side = (option) => option.closest("[data-for]").dataset.for;
  const choose = (answer) => {
    const wanted = outcomes.find((option) => option.checked && side(option) === answer)
      || outcomes.find((option) => side(option) === answer);
    wanted.checked = true;
    isDirty = true;
    later(SAVE_AFTER);
    return wanted;
  };
  form.querySelectorAll("[name=reached]").forEach((radio) => {
    radio.addEventListener("change", () => choose(radio.value));
  });

  // Keys rest while somebody types, and never take over the browser's own.
  const isTyping = (element) => element.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");
  const press = {
    1: () => { form.querySelector("[name=reached][value=yes]").click(); form.querySelector("[name=note]").focus(); },
    2: () => { form.querySelector("[name=reached][value=no]").click(); choose("no").focus(); },
    n: () => form.querySelector("[name=note]").focus(),
    c: () => start && start.click(),
    "?": () => document.getElementById("keys").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-save]"));
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.body.dataset.keys === "off") return;
    const act = press[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  });

  form.dataset.ready = "";
  const summary = document.getElementById("error-summary");
  if (summary) summary.focus();
})();
