// Keys that are pressed too early do nothing, and the page says so. A browser may give keys to a
// page that it does not show yet: the caller still sees the patient before. Loaded before the rest.
"use strict";

(() => {
  const MEANT = /^(.|Enter)$/u; // a character or Enter; what moves or scrolls is left alone
  let isRefused = false;
  const isReady = () => "ready" in (document.getElementById("report")?.dataset ?? {});
  const tell = () => {
    const notice = document.querySelector("[data-early]");
    if (notice) notice.hidden = !isRefused;
  };

  document.addEventListener("keydown", (event) => {
    if (isReady()) {
      if (isRefused) { isRefused = false; tell(); }
      return;
    }
    // The way to the nurse is there as soon as the page is read.
    if (event.code === "KeyS" && event.altKey && event.shiftKey && document.readyState !== "loading") return;
    if (!MEANT.test(event.key) || ((event.ctrlKey || event.metaKey) && event.key !== "Enter")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    isRefused = true;
    tell();
  }, true);
  document.addEventListener("DOMContentLoaded", tell);
})();
