// Keys of pages that are answered by keyboard: the call screen (call_keys.js), questionnaires
// (asking.js) and the monthly question (pulse.js). This file only tells what was pressed.
"use strict";

const answerKeys = (() => {
  const SECOND_FIGURE = 600; // ms in which '1' may become '10'
  const isPlain = (event) => !(event.ctrlKey || event.metaKey || event.altKey);
  const isFigure = (event) => /^[0-9]$/.test(event.key);
  const isTyping = (element) => element.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");

  // By the key's place, whatever it writes with Alt; S is the panel of safety.js.
  const held = (event) => {
    if (!event.altKey || !event.shiftKey || event.ctrlKey || event.metaKey) return null;
    if (event.code === "Slash") return "?";
    const [, key] = event.code.match(/^(?:Key|Digit)(\w)$/) || [];
    return !key || key === "S" ? null : key.toLowerCase();
  };

  // Figures that answer: 'find' says what a number answers a question with, 'press' does so,
  // 'keep' does so too where somebody went on meanwhile, 'next' is the question that follows.
  const figures = ({ find, press, keep = press, next = () => null }) => {
    let pending = null; // a first figure that a second may follow: its question, the answer, a timer
    const forget = () => {
      if (pending) clearTimeout(pending.timer);
      pending = null;
    };
    // A first figure that no second one follows answers the question it was typed for.
    const settle = () => {
      if (!pending) return false;
      const { item, button } = pending;
      forget();
      if (item.isConnected) keep(item, button);
      return true;
    };
    // '1' may be the beginning of '10': wait for the second figure where there can be one.
    const type = (item, key) => {
      const first = pending && pending.item === item ? pending.button.value : "";
      const both = first && find(item, first + key);
      if (both) {
        forget();
        press(both);
        return;
      }
      if (first) { // too late to be one number: the first answers, the second is for what comes next
        const { button } = pending;
        forget();
        press(button);
        const following = next();
        if (following) type(following, key);
        return;
      }
      const button = find(item, key);
      if (!button) return;
      if (key === "0" || !find(item, `${key}0`)) press(button);
      else pending = { item, button, timer: setTimeout(() => { forget(); press(button); }, SECOND_FIGURE) };
    };
    return { type, settle, forget, waitsFor: (item) => pending?.item === item };
  };

  return { isPlain, isFigure, isTyping, held, figures };
})();
