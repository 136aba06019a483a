// The frame of every page: on a narrow screen the menu begins closed; on a wide one, where a long
// menu scrolls, the entry of this page is in sight.
"use strict";

(() => {
  const menu = document.querySelector(".side__menu");
  if (!menu) return;
  if (window.matchMedia("(max-width: 61.99rem)").matches) menu.open = false;
  else menu.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
})();
