// A call under way: asks the server how far it has come, and shows it without a reload.
"use strict";

(() => {
  const phone = document.querySelector("[data-phone]");
  if (!phone) return;

  const WHILE_RINGING = 1200; // ms between two questions
  const WHILE_TALKING = 4000;
  const AFTER_TROUBLE = 8000;
  // Endings that leave no doubt about the outcome; the caller may still choose another.
  const OUTCOMES = { busy: "busy", no_answer: "no_answer" };
  const words = phone.querySelector("[data-phone-words]");
  const clock = phone.querySelector("[data-phone-clock]");
  const hangUp = phone.querySelector("[data-phone-hang-up]");
  const card = document.querySelector("[data-phone-card]");
  const cardWords = document.querySelector("[data-phone-card-words]");
  const again = document.querySelectorAll("[data-phone-again]");
  const minutes = document.querySelector("[name=minutes]");
  let began = null;

  const tick = () => {
    if (began === null) return;
    const seconds = Math.max(0, Math.floor((performance.now() - began) / 1000));
    clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  };

  const follow = (seconds) => {
    began = seconds === null || seconds === "" ? null : performance.now() - Number(seconds) * 1000;
    if (began === null) clock.textContent = "";
    tick();
  };

  const choose = (value) => {
    const option = document.querySelector(`[name=outcome][value=${value}]`);
    if (!option || document.querySelector("[name=reached]:checked")) return;
    document.querySelector("[name=reached][value=no]").click();
    option.click();
  };

  const show = (state) => {
    // Said once: the same words again would be read aloud again.
    if (words.textContent !== state.words) words.textContent = state.words;
    phone.dataset.stage = state.stage;
    follow(state.talk_seconds);
    if (card && state.card) {
      if (cardWords.textContent !== state.card) cardWords.textContent = state.card;
      cardWords.lang = state.card_language;
      card.hidden = false;
    }
    const isTalk = state.stage === "connected" || state.ending === "talked";
    if (isTalk && minutes && !minutes.value) minutes.placeholder = phone.dataset.auto;
    if (!state.is_over) return;
    if (hangUp) hangUp.hidden = true;
    again.forEach((each) => { each.hidden = false; });
    if (state.ending === "machine" && !state.may_leave_voicemail) choose("voicemail_not_allowed");
    if (OUTCOMES[state.ending]) choose(OUTCOMES[state.ending]);
  };

  const ask = async () => {
    let wait = AFTER_TROUBLE;
    try {
      const answer = await fetch(phone.dataset.phone, {
        headers: { Accept: "application/json", "X-Background": "1" },
        redirect: "manual",
        signal: AbortSignal.timeout(AFTER_TROUBLE),
      });
      if (answer.ok) {
        const state = await answer.json();
        show(state);
        if (state.is_over) return;
        wait = state.stage === "connected" ? WHILE_TALKING : WHILE_RINGING;
      } else if (answer.status === 404) {
        return;
      }
    } catch (_error) { /* no answer: asked again */ }
    setTimeout(ask, wait);
  };

  if (hangUp) {
    hangUp.addEventListener("submit", (event) => {
      event.preventDefault();
      const button = hangUp.querySelector("button");
      button.disabled = true;
      fetch(hangUp.action, { method: "POST", body: new FormData(hangUp), redirect: "manual" })
        .catch(() => {})
        .finally(() => setTimeout(() => { button.disabled = false; }, AFTER_TROUBLE));
    });
  }

  follow(clock.dataset.seconds);
  setInterval(tick, 1000);
  ask();
})();
