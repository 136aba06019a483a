// What is typed into a form with room for words is kept on the server until it is sent, and is back
// when its page is opened again: the fields that were changed, and no others, which a colleague may
// have changed since. Forms that keep their own drafts are left alone.
"use strict";

(() => {
  const { who, typed: keptAt, token: tokenAt, csrf } = document.getElementById("still-there")?.dataset ?? {};
  if (!keptAt) return;

  const SAVE_AFTER = 900; // ms of rest while typing
  const RETRY_AFTER = 4000;
  const PATIENCE = 8000;
  const MARK = "typed_form";
  let token = csrf;

  // Two forms that are sent to one address are told apart by a number.
  const place = (form) => {
    const path = new URL(form.action, window.location).pathname;
    const before = kept.filter((each) => new URL(each.action, window.location).pathname === path).indexOf(form);
    return before > 0 ? `${path}#${before}` : path;
  };
  const isKept = (form) => form.method === "post" && form.querySelector("textarea")
    && !form.dataset.draft && !form.closest("dialog, [data-asking]") && !form.querySelector("[type=password], [type=file]");
  const fieldsOf = (form) => [...form.elements].filter((each) => each.name && each.type !== "hidden" && each.type !== "submit" && !each.disabled);
  const isChoice = ({ type }) => ["radio", "checkbox"].includes(type);
  const isChanged = (each) => {
    if (isChoice(each)) return each.checked !== each.defaultChecked;
    const options = [...(each.options ?? [])];
    if (each.type === "select-multiple") return options.some((option) => option.selected !== option.defaultSelected);
    if (options.length) return each.selectedIndex !== Math.max(0, options.findIndex((option) => option.defaultSelected));
    return each.value !== each.defaultValue;
  };
  const changedIn = (form) => fieldsOf(form).filter(isChanged).map(({ name }) => name);
  const valuesOf = (each) => {
    if (isChoice(each)) return each.checked ? [each.value] : [];
    return each.type === "select-multiple" ? [...each.selectedOptions].map(({ value }) => value) : [each.value];
  };
  // Name and value of each field among ``names``; boxes of which none is ticked have an empty one.
  const typedIn = (form, names) => [...new Set(names)].flatMap((name) => {
    const values = fieldsOf(form).filter((each) => each.name === name).flatMap(valuesOf);
    return (values.length ? values : [""]).map((value) => [name, value]);
  });

  const freshToken = async () => {
    const answer = await fetch(tokenAt, { headers: { Accept: "application/json" }, redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) return false;
    ({ token } = await answer.json());
    return true;
  };
  const post = (form, fields) => fetch(keptAt, {
    method: "POST",
    body: new URLSearchParams({ place: place(form), who, fields: JSON.stringify(fields) }),
    headers: { "X-CSRFToken": token },
    redirect: "manual",
    signal: AbortSignal.timeout(PATIENCE),
  });
  const isSignedOut = (answer) => answer.type === "opaqueredirect" || [400, 401].includes(answer.status);
  const mark = (form, isOn) => {
    const field = form.querySelector(`[name=${MARK}]`);
    if (!isOn) field?.remove();
    else if (!field) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: MARK, value: place(form) }));
  };

  const put = (form, fields) => {
    const names = new Set(fields.map(([name]) => name));
    fieldsOf(form).filter(({ name }) => names.has(name)).forEach((each) => {
      const values = fields.filter(([name]) => name === each.name).map(([, value]) => value);
      if (isChoice(each)) each.checked = values.includes(each.value);
      else if (each.type === "select-multiple") [...each.options].forEach((option) => { option.selected = values.includes(option.value); });
      else each.value = values[fieldsOf(form).filter(({ name }) => name === each.name).indexOf(each)] ?? values[0];
    });
  };

  const watch = (form, earlier) => {
    let timer = null;
    let isDirty = false;
    let isSent = false;

    const save = async () => {
      clearTimeout(timer);
      isDirty = false;
      try {
        const fields = typedIn(form, [...earlier, ...changedIn(form)]);
        let answer = await post(form, fields);
        if (isSignedOut(answer) && await freshToken()) answer = await post(form, fields);
        if (answer.ok) { mark(form, true); return; }
        if (!isSignedOut(answer) && answer.status < 500) return; // refused: too long to be kept
      } catch (_error) { /* tried again */ }
      isDirty = true;
      timer = setTimeout(save, RETRY_AFTER);
    };
    form.addEventListener("input", () => {
      isDirty = true;
      clearTimeout(timer);
      timer = setTimeout(save, SAVE_AFTER);
    });
    form.addEventListener("submit", () => { isSent = true; clearTimeout(timer); });
    document.addEventListener("away:leave", (event) => {
      if (!isDirty || isSent) return;
      event.preventDefault();
      save();
    });
  };

  const giveBack = async (form, earlier) => {
    const answer = await fetch(`${keptAt}?${new URLSearchParams({ place: place(form) })}`, {
      headers: { Accept: "application/json", "X-Background": "1" }, redirect: "manual", signal: AbortSignal.timeout(PATIENCE),
    });
    const found = answer.ok ? (await answer.json()).fields : null;
    if (!found) return;
    mark(form, true);
    const typedMeanwhile = new Set(changedIn(form));
    const fields = found.filter(([name]) => !typedMeanwhile.has(name));
    fields.forEach(([name]) => earlier.add(name));
    const before = typedIn(form, earlier);
    if (JSON.stringify(fields) === JSON.stringify(before)) return;
    put(form, fields);
    const notice = document.getElementById("typed-back").content.firstElementChild.cloneNode(true);
    notice.querySelector("button").addEventListener("click", async () => {
      put(form, before);
      earlier.clear();
      mark(form, false);
      notice.remove();
      await post(form, []).catch(() => {});
    });
    form.prepend(notice);
  };

  const kept = [...document.querySelectorAll("main form")].filter(isKept);
  kept.forEach((form) => {
    const earlier = new Set(); // names of what was typed before this page
    watch(form, earlier);
    giveBack(form, earlier).catch(() => {}); // it comes with the next page
  });
})();
