// The frame of every page: on a narrow screen the menu begins closed.
"use strict";

(() => {
  const menu = document.querySelector(".side__menu");
  if (menu && window.matchMedia("(max-width: 61.99rem)").matches) menu.open = false;
})();
