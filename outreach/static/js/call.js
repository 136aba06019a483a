// The call screen: saves what is typed, and sends it.
// Nothing is ever kept in the browser's own storage.
"use strict";

(() => {
  const form = document.getElementById("report");
  if (!form) return;

  const SAVE_AFTER = 700; // ms of rest while typing
  const SAVE_WITHIN = 1300; // ms after the first key that is not saved, whoever types without a rest
  const RETRY_AFTER = 4000; // ms after a save that did not get through
  const PATIENCE = 8000; // ms to wait for an answer
  const words = form.querySelector("[data-words]").dataset;
  const status = form.querySelector("[data-saved]");
  const token = form.querySelector("[name=csrf_token]");
  const tab = crypto.randomUUID ? crypto.randomUUID() : String(Math.random());
  let version = Number(form.dataset.version);
  let timer = null;
  let isDirty = false;
  let unsavedSince = 0; // when the first key was typed that no save has taken along
  let inFlight = null;
  let isSubmitting = false;
  let isHeld = form.dataset.held === "yes"; // two texts, and nobody has chosen yet
  let settles = ""; // the tab whose text somebody has just chosen from
  let pressed = null; // Save, pressed into a dead line: which button, and when
  let send = null;

  const say = (text, isTrouble) => {
    status.textContent = text;
    status.classList.toggle("saved--trouble", Boolean(isTrouble));
    if (text === words.signedOut) {
      const link = document.createElement("a");
      link.href = form.dataset.signIn;
      link.target = "_blank";
      link.textContent = words.signIn;
      status.append(" ", link);
    }
  };

  // A page that outlived its session gets a fresh form token once somebody has signed in.
  const freshToken = async () => {
    const answer = await fetch(form.dataset.token, {
      headers: { Accept: "application/json" },
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (!answer.ok) return false;
    token.value = (await answer.json()).token;
    return true;
  };

  const typed = () => {
    const data = new FormData(form);
    data.set("version", String(version));
    data.set("tab", tab);
    data.set("settles", settles);
    return data;
  };

  const post = () => {
    const data = typed();
    return fetch(form.dataset.draft, {
      method: "POST",
      body: data,
      redirect: "manual",
      headers: { "X-CSRFToken": token.value },
      signal: AbortSignal.timeout(PATIENCE),
    });
  };

  const isSignedOut = (answer) => answer.type === "opaqueredirect" || [400, 401].includes(answer.status);

  // True when what is on the page is on the server.
  const save = async () => {
    clearTimeout(timer);
    isDirty = false;
    unsavedSince = 0;
    say(words.saving);
    let trouble = words.offline;
    try {
      let answer = await post();
      if (isSignedOut(answer)) {
        trouble = words.signedOut;
        if (await freshToken()) answer = await post();
      }
      if (answer.ok) {
        const kept = await answer.json();
        ({ version } = kept);
        if (!kept.is_yours) beat();
        settles = "";
        say(`${words.kept} ${kept.kept_at}`);
        return true;
      }
      if (answer.status === 409) {
        const { reason, other } = await answer.json();
        trouble = reason === "closed" ? words.closed : words.elsewhere;
        if (other) {
          isHeld = true;
          form.dispatchEvent(new CustomEvent("draft:other", { detail: { ...other, tab } }));
          say(trouble, true);
          return true; // it lies on the server, beside the other text
        }
      } else if (!isSignedOut(answer) && answer.status < 500) {
        trouble = words.refused;
      }
    } catch (_error) { /* no answer: the words say so */ }
    isDirty = true;
    say(trouble, true);
    if (trouble === words.offline || trouble === words.signedOut) later(RETRY_AFTER);
    return false;
  };

  const flush = async () => {
    if (inFlight) await inFlight;
    if (!isDirty) return true;
    inFlight = save().finally(() => { inFlight = null; });
    return inFlight;
  };

  document.addEventListener("away:leave", (event) => { if (isDirty || pressed) event.preventDefault(); });

  const goOn = () => {
    if (isSubmitting) return;
    if (pressed) send();
    else flush();
  };
  const later = (delay) => {
    clearTimeout(timer);
    timer = setTimeout(goOn, delay);
  };
  const tellWaiting = () => {
    const isOut = status.textContent.startsWith(words.signedOut);
    say(isOut ? words.signedOut : words.waiting, true);
    status.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("input", (event) => {
    if (event.target.form !== form) return;
    // No database takes a NUL, which a paste may bring.
    if (event.target.value.includes("\0")) event.target.value = event.target.value.replaceAll("\0", "");
    pressed = null;
    isDirty = true;
    unsavedSince ||= Date.now();
    later(Math.max(0, Math.min(SAVE_AFTER, unsavedSince + SAVE_WITHIN - Date.now())));
  });
  form.addEventListener("draft:settle", (event) => {
    ({ isHeld, tab: settles } = event.detail);
    if (event.detail.version !== undefined) version = event.detail.version;
    isDirty = true;
    flush();
  });
  window.addEventListener("online", () => { if (isDirty) goOn(); });
  window.addEventListener("beforeunload", (event) => {
    if (isDirty && !isSubmitting) event.preventDefault();
  });
  // Leaving the page at once after typing: the browser carries this last save out alone.
  window.addEventListener("pagehide", () => {
    if (!isDirty || isSubmitting) return;
    fetch(form.dataset.draft, { method: "POST", body: typed(), keepalive: true, headers: { "X-CSRFToken": token.value } });
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && isDirty) goOn();
  });
  // Another page of ours, or another form of this one: first keep what was typed.
  // Without a network there is no other page: this one would be gone until it is back.
  const leave = async (event, go) => {
    if (!navigator.onLine && !event.defaultPrevented) {
      event.preventDefault();
      say(words.stay, true);
      status.scrollIntoView({ block: "nearest" });
      return;
    }
    if (!isDirty || isSubmitting || event.defaultPrevented) return;
    event.preventDefault();
    if (pressed) return; // first the call that waits to be sent
    await flush();
    go(); // where it could not be kept, the browser asks before it leaves
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.button);
    if (!link || !isPlain || link.target || !/^https?:$/.test(link.protocol)) return;
    if (link.pathname === window.location.pathname && link.hash) return;
    leave(event, () => { window.location.assign(link.href); });
  });
  form.addEventListener("call:leave", (event) => {
    const { go } = event.detail; // call_start.js, where the browser has to show what came of it
    flush().then(() => { isDirty = false; go(); });
  });
  document.addEventListener("submit", (event) => {
    if (event.target === form || event.target.method === "dialog") return;
    const { target, submitter } = event;
    leave(event, () => { isDirty = false; target.requestSubmit(submitter); });
  });
  // What came back with errors is on the page only: keep it on the server as well.
  if (document.getElementById("error-summary")) {
    isDirty = true;
    later(0);
  }

  // Save fires once, only when everything typed is on the server, so not into a dead line: there
  // the press is kept on this page and goes out by itself once the line is back, the server being
  // told how long it waited. Typing on takes the press back. Words of another tab are chosen from
  // first. A call that somebody else closed is no obstacle: the answer tells.
  const carry = (name, value) => {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    form.append(field);
  };
  const isStuck = () => [words.offline, words.signedOut].some((each) => status.textContent.startsWith(each));
  send = async () => {
    isSubmitting = true;
    clearTimeout(timer);
    isDirty = true;
    const waitsFor = []; // what else must be on the server first: the answers of asking.js
    document.dispatchEvent(new CustomEvent("report:sending", { detail: { waitsFor } }));
    if (waitsFor.length) say(words.saving);
    const unsent = (await Promise.all(waitsFor)).find(({ isSent }) => !isSent);
    if (unsent) {
      isSubmitting = false;
      if (unsent.isLater && pressed) later(RETRY_AFTER);
      else pressed = null;
      if (pressed) tellWaiting();
      else flush();
      return;
    }
    await flush();
    if (isStuck() || isHeld || !pressed) {
      isSubmitting = false;
      if (isStuck()) later(RETRY_AFTER);
      if (isStuck() && form.querySelector("[name=outcome]:checked")) tellWaiting();
      else pressed = null;
      if (isHeld) form.querySelector("[data-both]:not([hidden]) [data-keep=both]").focus();
      return;
    }
    if (pressed.button && pressed.button.name) carry(pressed.button.name, pressed.button.value);
    carry("waited", String(Math.max(0, Math.round((Date.now() - pressed.at) / 1000)))); // sleep included
    form.querySelectorAll("button").forEach((each) => { each.disabled = true; });
    say(words.saving);
    form.dataset.sending = "";
    document.getElementById("main").inert = true; // what is typed from here on would be lost
    form.submit();
  };
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && isSubmitting) window.location.reload(); // back, to a page that was sent
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (isSubmitting) return;
    pressed = { button: event.submitter, at: pressed ? pressed.at : Date.now() };
    send();
  });

  // While somebody looks at the screen, the call stays theirs; who took it over is told.
  const HEARTBEAT = 60000; // ms
  const taken = document.querySelector("[data-taken]");
  const beat = async () => {
    if (document.hidden || isSubmitting) return;
    try {
      const about = new URLSearchParams({ planned_call_id: form.elements.planned_call_id.value });
      const answer = await fetch(form.dataset.lease, { method: "POST", body: about, redirect: "manual", headers: { "X-CSRFToken": token.value, "X-Background": "1" } });
      if (!answer.ok || !taken) return;
      const { by } = await answer.json();
      taken.hidden = !by; // a call that is nobody's, since a hand-over is to be read first, was not taken
      taken.querySelector("[data-taken-by]").textContent = by || "";
    } catch (_error) { /* no answer says nothing about whose call it is */ }
  };
  setInterval(beat, HEARTBEAT);
  document.addEventListener("visibilitychange", beat);

  const summary = document.getElementById("error-summary");
  if (summary) summary.focus();
})();
