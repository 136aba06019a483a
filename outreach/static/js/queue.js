// The queue: Enter on the page opens the first call; what was opened stays open on refresh.
"use strict";

(() => {
  const open = new Set();

  document.addEventListener("toggle", (event) => {
    const row = event.target.closest && event.target.closest(".call-row");
    if (!row) return;
    if (event.target.open) open.add(row.id);
    else open.delete(row.id);
  }, true);

  setInterval(() => {
    const queue = document.getElementById("queue");
    if (queue && !document.hidden && window.htmx) window.htmx.trigger(queue, "refresh");
  }, 60000);

  // Never replace the list under somebody's hands.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const queue = document.getElementById("queue");
    if (event.detail.elt === queue && queue.contains(document.activeElement)) event.preventDefault();
  });

  document.addEventListener("htmx:afterSettle", () => {
    open.forEach((id) => {
      const row = document.getElementById(id);
      if (row) row.querySelector("details").open = true;
    });
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || document.activeElement !== document.body) return;
    const first = document.querySelector("[data-first-call]");
    if (first) first.click();
  });
})();
