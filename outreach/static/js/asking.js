// A questionnaire on the call screen or on a nurse's page, by keyboard: a number answers and the next question stands
// there at once. Each answer goes to the server as it is given, one after the other; what does
// not get through is tried again while asking goes on. Nothing is kept in the browser's storage.
"use strict";

(() => {
  const place = document.getElementById("ask-here");
  const note = document.querySelector("#report [name=note]");
  if (!place) return;
  const { isPlain, isFigure, figures } = answerKeys;

  const RETRY_AFTER = 4000; // ms after an answer that did not get through
  const PATIENCE = 8000; // ms to wait for an answer of the server
  const BACKGROUND = { "X-Background": "1" };
  const waiting = []; // what was pressed and is not on the server yet: form, field, what it took back
  let scored = null; // the key of what another tab scored, until this page shows it
  let sending = null;
  let timer = null;

  const panel = () => place.querySelector("[data-asking]");
  const items = () => [...place.querySelectorAll("[data-item]")];
  const shown = () => items().find((item) => !item.hidden);
  // Away from the questions: to the note of the call; a nurse's page has only the way back.
  const leave = () => (note || panel().querySelector("[data-asking-close]")).focus();

  const say = (text, isTrouble) => {
    const status = panel()?.querySelector("[data-asking-status]");
    if (!status) return;
    status.textContent = text;
    status.classList.toggle("saved--trouble", Boolean(isTrouble));
  };

  // The question at hand, read out and ready for its keys; the end has a button.
  const turnTo = (number) => items().forEach((item) => { item.hidden = item.dataset.item !== String(number); });
  const show = (number) => {
    turnTo(number);
    const item = shown();
    (item.querySelector("[data-finish]") || item).focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
  };
  // What comes by itself leaves whoever writes the note where they are: keys mean words there.
  const isElsewhere = () => document.activeElement !== document.body && !place.contains(document.activeElement);
  const showInPassing = (number) => (isElsewhere() ? turnTo(number) : show(number));
  const isAnswered = (item) => Boolean(item.querySelector("[aria-pressed=true]"));
  // How hard problems make life is asked of those who have any.
  const isProblem = (button) => button.name.startsWith("item_") && Number(button.value) > 0;
  const isAsked = (item) => !("ifAny" in item.dataset)
    || items().some((each) => each !== item && [...each.querySelectorAll("[aria-pressed=true]")].some(isProblem));
  // On to the next question that is open; one that was passed over comes again at the end.
  const goOn = (item) => {
    const all = items().filter(isAsked);
    const isOpen = (each) => each.dataset.item !== "end" && !isAnswered(each);
    const isOfScore = (each) => isOpen(each) && !("ifAny" in each.dataset);
    const next = all.slice(all.indexOf(item) + 1).find(isOfScore) || all.find(isOfScore) || all.find(isOpen);
    showInPassing(next ? next.dataset.item : "end");
  };

  // The address says what is asked, so that a reload goes on there.
  const address = (words) => {
    window.history.replaceState(null, "", panel() ? `${panel().dataset.call}?${new URLSearchParams(words)}` : words);
  };

  const put = (html) => {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const fresh = holder.content.querySelector("[data-asking]");
    if (!fresh) return;
    place.replaceChildren(fresh);
    const { asking, after, formKey, stage } = fresh.dataset;
    const isScored = stage === "result";
    address({ ask: asking, ...(after && { after }), ...(isScored && { done: formKey }) });
    const target = fresh.querySelector(".asking__item:not([hidden]) [data-finish], .asking__item:not([hidden])") || fresh;
    target.focus({ preventScroll: true });
    fresh.scrollIntoView({ block: fresh.offsetHeight < window.innerHeight / 2 ? "nearest" : "start" });
  };

  const get = async (from, words = {}) => {
    const url = new URL(from, window.location);
    Object.entries(words).forEach(([name, value]) => url.searchParams.set(name, value));
    const answer = await fetch(url, { headers: BACKGROUND, redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) return false;
    put(await answer.text());
    return true;
  };

  const freshToken = async (form) => {
    const answer = await fetch(panel().dataset.token, {
      headers: { Accept: "application/json" }, redirect: "manual", signal: AbortSignal.timeout(PATIENCE),
    });
    if (!answer.ok) return false;
    form.querySelector("[name=csrf_token]").value = (await answer.json()).token;
    return true;
  };
  const body = (form, fields) => {
    const data = new FormData(form);
    fields.forEach(({ name, value }) => data.set(name, value));
    return data;
  };
  const post = (form, action, fields) => fetch(action, {
    method: "POST", body: body(form, fields), headers: BACKGROUND, redirect: "manual", signal: AbortSignal.timeout(PATIENCE),
  });
  const isSignedOut = (answer) => answer.type === "opaqueredirect" || [400, 401].includes(answer.status);
  const posted = async (form, action, fields = []) => {
    const answer = await post(form, action, fields);
    return isSignedOut(answer) && await freshToken(form) ? post(form, action, fields) : answer;
  };

  // The server alone knows whether a nurse is told. Until it has said so: ring, whatever the trouble.
  const isUntold = () => Boolean(panel().querySelector("[data-asking-danger]:not([hidden]) [data-told][hidden]"));
  const nurseIsTold = () => {
    const told = panel().querySelector("[data-told]");
    if (told) told.hidden = false;
    document.dispatchEvent(new Event("safety:raised"));
  };
  const tellTrouble = (words) => {
    const data = panel().dataset;
    const untold = words === data.refused ? `${data.untold} ${words}` : data.untold;
    say(isUntold() ? untold : words, true);
    if (words !== data.signedOut) return;
    const link = document.createElement("a");
    Object.assign(link, { href: data.signIn, target: "_blank", textContent: data.signInWords });
    panel().querySelector("[data-asking-status]").append(" ", link);
  };

  // Refused: the buttons look as they did before, unless something else was pressed since.
  const takeBack = ({ undo }) => {
    const later = waiting.flatMap((each) => each.undo.map(({ item }) => item));
    const back = undo.filter(({ item }) => !later.includes(item));
    back.forEach(({ item, before }) => mark(item, before));
    if (back.length) showInPassing(back[0].item.dataset.item);
    panel().scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("away:leave", (event) => { if (waiting.length || scored) event.preventDefault(); });
  // True once everything that was pressed is on the server; an answer that is refused is not.
  const sendAll = async () => {
    clearTimeout(timer);
    while (waiting.length || scored) {
      const data = panel().dataset;
      let trouble = data.offline;
      say(data.saving);
      try {
        if (!waiting.length) { // all of it was too late: what it was scored as
          if (!await get(data.panel, { done: scored })) throw new Error("not shown");
          scored = null;
          return true;
        }
        const [{ form, field }] = waiting;
        const answer = await posted(form, form.action, [field]);
        if (answer.ok) {
          const { form_key: key, is_urgent: isUrgent } = await answer.json();
          form.querySelector("[name=form_key]").value = key;
          waiting.shift();
          if (isUrgent) nurseIsTold();
          say(data.kept);
          continue;
        }
        if (answer.status === 409) { // scored in another tab; the next one may be about self-harm
          const { done, is_urgent: isUrgent } = await answer.json();
          if (isUrgent) nurseIsTold();
          scored = done;
          waiting.shift();
          continue;
        }
        if (isSignedOut(answer)) trouble = data.signedOut;
        else if (answer.status < 500 && answer.status !== 429) {
          takeBack(waiting.shift());
          tellTrouble(data.refused);
          return false;
        }
      } catch (_error) { /* no answer: the words say so */ }
      tellTrouble(trouble);
      timer = setTimeout(drain, RETRY_AFTER);
      return false;
    }
    return true;
  };
  const drain = () => {
    if (!sending) sending = sendAll().finally(() => { sending = null; });
    return sending;
  };
  window.addEventListener("online", () => { if (waiting.length) drain(); });
  window.addEventListener("beforeunload", (event) => { if (waiting.length) event.preventDefault(); });
  // Leaving at once after an answer: the browser carries the last ones out alone, in one form,
  // since two would arrive in any order. Of two presses on an item the last one counts.
  window.addEventListener("pagehide", () => {
    numbers.settle();
    const last = new Map(waiting.map(({ field }) => [field.name.replace(/^(item|skip)_/, ""), field]));
    if (!last.size) return;
    const [{ form }] = waiting;
    fetch(form.action, { method: "POST", body: body(form, [...last.values()]), headers: BACKGROUND, keepalive: true });
  });

  const pressedIn = (item) => item.querySelector("[aria-pressed=true]");
  const mark = (item, button) => {
    item.querySelectorAll("[aria-pressed]").forEach((each) => each.setAttribute("aria-pressed", String(each === button)));
    const { label } = button ? button.dataset : { label: panel().dataset.none };
    const isFigure = button && button.name.startsWith("item_") && button.value !== label;
    place.querySelector(`[data-over="${item.dataset.item}"]`).textContent = isFigure ? `${button.value} ${label}` : label;
  };
  const tick = (button) => {
    const item = button.closest("[data-item]");
    const undo = { item, before: pressedIn(item) };
    mark(item, button);
    const danger = panel().querySelector("[data-asking-danger]");
    // The item about self-harm: what to do stands there before the server has answered.
    if (danger && button.name === `item_${danger.dataset.askingDanger}` && Number(button.value) > 0) danger.hidden = false;
    return undo;
  };
  const push = (button, undo) => {
    waiting.push({ form: button.form, field: { name: button.name, value: button.value }, undo });
    drain();
  };
  const answer = (item, button, then = () => {}) => {
    const danger = panel().querySelector("[data-asking-danger][hidden]");
    push(button, [tick(button)]);
    then();
    if (danger && !danger.hidden) danger.scrollIntoView({ block: "start" });
  };
  const press = (button) => {
    const item = button.closest("[data-item]");
    if (numbers.waitsFor(item) && !("rest" in button.dataset)) numbers.forget(); // another answer instead
    numbers.settle();
    if ("rest" in button.dataset) {
      const open = items().filter((each) => each.dataset.item !== "end" && isAsked(each) && !isAnswered(each));
      push(button, open.map((each) => tick(each.querySelector(`[name^=skip_][value=${button.value}]`))));
      show("end");
      return;
    }
    answer(item, button, () => goOn(item));
  };
  // The call is saved once every answer is on the server.
  document.addEventListener("report:sending", (event) => {
    if (!panel()) return;
    numbers.settle();
    event.detail.waitsFor.push(drain().then((isSent) => ({ isSent, isLater: waiting.length > 0 })));
  });

  const nextDue = () => document.querySelector("[data-due]:not(.due--done)");
  const finish = async (button) => {
    const { form } = button;
    button.disabled = true;
    try {
      if (await drain() && button.isConnected) {
        const answer = await posted(form, button.formAction);
        if (answer.ok) {
          const code = panel().dataset.asking;
          put(await answer.text());
          document.querySelectorAll(`[data-ask-code="${code}"]`).forEach((link) => link.classList.add("due--done"));
          const key = document.querySelector("[data-due] kbd");
          if (nextDue()) nextDue().append(" ", key);
          else key?.remove();
          document.dispatchEvent(new Event("safety:raised"));
          return;
        }
        tellTrouble(isSignedOut(answer) ? panel().dataset.signedOut : panel().dataset.refused);
      }
    } catch (_error) { tellTrouble(panel().dataset.offline); }
    button.disabled = false;
    if (document.activeElement === document.body) button.focus();
  };

  const close = async () => {
    const here = panel();
    if (!here) return;
    numbers.settle();
    const isSent = await drain();
    if (here.isConnected && isSent) {
      if (!note) {
        window.location.assign(here.querySelector("[data-asking-close]").href);
        return;
      }
      const { call } = here.dataset;
      place.replaceChildren();
      address(call);
    } // else it stays with what is not saved, and says so
    leave();
  };

  // Before call.js, which takes every link for one that leaves the page.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-ask], [data-go], [data-asking-close]");
    if (!link || !isPlain(event) || event.shiftKey || event.button) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    numbers.settle();
    if ("go" in link.dataset) {
      const target = items().find((item) => item.dataset.item === link.dataset.go);
      show(isAsked(target) ? link.dataset.go : "end");
      return;
    }
    if ("askingClose" in link.dataset) { close(); return; }
    (async () => {
      if (panel() && !await drain()) return;
      try {
        if (await get(link.dataset.ask)) return;
      } catch (_error) { /* no answer: as without scripts */ }
      if (navigator.onLine) window.location.assign(link.href);
    })();
  }, true);
  place.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    if ("finish" in event.submitter.dataset) finish(event.submitter);
    else press(event.submitter);
  });

  const numbers = figures({
    find: (item, value) => item.querySelector(`[name^=item_][value="${value}"]`),
    press,
    keep: answer,
    next: () => (shown().dataset.item === "end" ? null : shown()),
  });
  const step = (by) => {
    const all = items().filter(isAsked);
    const target = all[all.indexOf(shown()) + by];
    if (target) show(target.dataset.item);
  };
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  place.addEventListener("keydown", (event) => {
    const item = shown();
    if (!isPlain(event)) return;
    if (!isFigure(event) && !["Shift", "CapsLock"].includes(event.key)) {
      if (numbers.settle() && event.key === "Escape") goOn(item);
    }
    if (event.key === "Escape") {
      event.preventDefault();
      if (panel().dataset.stage === "result") close();
      else leave();
      return;
    }
    if (!item) return;
    const skip = item.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    const isAnswer = skip || (isFigure(event) && item.dataset.item !== "end");
    // A key that is held down answers one question, and scores nothing.
    if (event.repeat && (isAnswer || event.key === "Enter")) {
      event.preventDefault();
      return;
    }
    if (event.key in steps) step(steps[event.key]);
    else if (event.key === "Enter" && !event.target.matches("button, a")) step(1);
    else if (skip) press(skip);
    else if (isAnswer) numbers.type(item, event.key);
    else return;
    event.preventDefault();
  });

  document.addEventListener("questionnaire:open", () => {
    const item = shown();
    if (item) show(item.dataset.item);
    else if (panel()) panel().focus();
    else {
      const due = nextDue();
      const all = document.querySelector("details:has([data-ask])");
      if (due) due.click();
      else { // nothing is due: all that can be asked, to choose from
        all.open = true;
        all.querySelector("[data-ask]").focus();
      }
    }
  });
  if (shown()) show(shown().dataset.item);
  else if (panel()) panel().focus();
})();
