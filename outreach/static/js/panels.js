// Keeps the number on the button of the panels page in step with the ticks.
const form = document.querySelector("[data-assign]");

function count() {
  const ticked = form.querySelectorAll("input[name=pick]:checked").length;
  const button = form.querySelector("[data-many]");
  const words = ticked === 1 ? button.dataset.one : button.dataset.many;
  button.textContent = words.replace("{n}", String(ticked));
}

if (form) {
  form.addEventListener("change", count);
  count();
}
