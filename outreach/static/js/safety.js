// The safety net in the browser: the panel on the call screen, what became of each worry, and
// the line that tells nurses what waits. Nothing makes a sound, nothing is kept in the browser.
"use strict";

(() => {
  const WATCH_EVERY = 5000; // ms
  const ALERTS_EVERY = 15000; // ms
  const RETRY_AFTER = 5000; // ms
  const PATIENCE = 10000; // ms
  const BACKGROUND = { "X-Background": "1" };

  const get = (address) => fetch(address, {
    headers: BACKGROUND, redirect: "manual", signal: AbortSignal.timeout(PATIENCE),
  });

  const parsed = (html) => {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    return holder.content.firstElementChild;
  };

  // Timers: 'Nurse told 0:40 ago'. Screen readers hear the line when it changes, not each second.
  const tick = () => {
    document.querySelectorAll("[data-waited]").forEach((shown) => {
      shown.began ??= Date.now() - 1000 * shown.dataset.waited; // a wrong clock here counts right too
      const seconds = Math.max(0, Math.floor((Date.now() - shown.began) / 1000));
      shown.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    });
  };

  // What became of each worry, in every place that shows it; replaced only when it changed.
  const showWatch = (html) => {
    const fresh = parsed(html);
    if (!fresh || !("watch" in fresh.dataset)) return;
    document.querySelectorAll("[data-watch]").forEach((place) => {
      if (place.dataset.state !== fresh.dataset.state) place.replaceWith(fresh.cloneNode(true));
    });
  };
  const pollWatch = async (where = "[data-watch][data-polled]") => {
    const place = document.querySelector(where);
    if (!place) return;
    try {
      const answer = await get(place.dataset.watch);
      if (answer.ok) showWatch(await answer.text());
    } catch (_error) { /* the next poll tries again; the line stays as it was */ }
  };
  if (document.querySelector("[data-watch]")) {
    setInterval(tick, 1000);
    setInterval(() => pollWatch(), WATCH_EVERY);
    // An answer just told a nurse: what became of it is shown from now on.
    document.addEventListener("safety:raised", () => pollWatch("[data-watch]"));
  }

  // On every page of a nurse: what nobody has taken on, also as a number in the tab.
  const title = document.title;
  const showCount = (place) => {
    const count = Number(place.dataset.count);
    document.title = count ? `(${count}) ${title}` : title;
  };
  const pollAlerts = async () => {
    const place = document.querySelector("[data-alerts]");
    try {
      const answer = await get(place.dataset.alerts);
      if (answer.ok) {
        const fresh = parsed(await answer.text());
        if (fresh && fresh.outerHTML !== place.outerHTML) place.replaceWith(fresh);
        if (fresh) showCount(fresh);
      } else if (answer.type === "opaqueredirect") {
        const line = document.createElement("p");
        line.className = "notice notice--warm";
        line.textContent = place.dataset.signedOut;
        if (place.textContent !== line.textContent) place.replaceChildren(line);
      }
    } catch (_error) { /* the next poll tries again */ }
  };
  const alerts = document.querySelector("[data-alerts]");
  if (alerts) {
    showCount(alerts);
    setInterval(pollAlerts, ALERTS_EVERY);
  }

  const panel = document.getElementById("danger");
  if (!panel) return;
  const form = document.getElementById("danger-form");
  const status = panel.querySelector("[data-danger-status]");
  const button = form.querySelector("[type=submit]");
  const words = panel.dataset;
  let isSending = false;
  let retry = null;

  const open = () => {
    if (panel.open || panel.closest("[inert]")) return; // the call is on its way: the next page is another patient's
    panel.showModal();
    panel.scrollTop = 0; // what to do stands first, also where the field for words is far down
  };
  document.querySelectorAll("[data-open-danger]").forEach((link) => {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      open();
    });
  });
  // A modifier, so that it works while somebody types; by the key's place, whatever it writes.
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || !event.shiftKey || event.ctrlKey || event.code !== "KeyS") return;
    event.preventDefault();
    open();
  });
  // The keys of the call rest while the panel is open.
  panel.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || form.hidden) return;
    event.preventDefault();
    form.requestSubmit();
  });

  const freshToken = async () => {
    const answer = await fetch(words.token, {
      headers: { Accept: "application/json" }, redirect: "manual", signal: AbortSignal.timeout(PATIENCE),
    });
    if (!answer.ok) return false;
    form.querySelector("[name=csrf_token]").value = (await answer.json()).token;
    return true;
  };
  const post = () => fetch(form.action, {
    method: "POST", body: new FormData(form), headers: BACKGROUND, redirect: "manual", signal: AbortSignal.timeout(PATIENCE),
  });
  const isSignedOut = (answer) => answer.type === "opaqueredirect" || [400, 401].includes(answer.status);

  // Sent until it has arrived. The form's key makes a second arrival the same concern.
  const send = async () => {
    retry = null;
    let trouble = words.offline;
    try {
      let answer = await post();
      if (isSignedOut(answer)) {
        trouble = words.signedOut;
        if (await freshToken()) answer = await post();
      }
      if (answer.ok) {
        const html = await answer.text();
        panel.querySelector("[data-danger-sent]").hidden = false;
        form.hidden = true;
        showWatch(html);
        panel.querySelector("[data-danger-sent] .btn").focus();
        return;
      }
      if (answer.status === 422) {
        status.textContent = words.refused;
        button.disabled = false;
        isSending = false;
        return;
      }
    } catch (_error) { /* no answer: the words say so */ }
    status.textContent = trouble;
    retry = setTimeout(send, RETRY_AFTER);
  };
  window.addEventListener("online", () => {
    if (retry === null) return;
    clearTimeout(retry);
    send();
  });
  document.addEventListener("away:leave", (event) => { if (retry !== null) event.preventDefault(); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (isSending) return;
    isSending = true;
    button.disabled = true;
    status.textContent = words.sending;
    send();
  });
})();
