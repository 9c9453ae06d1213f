// Keeps the page fresh and turns what a person does into requests; everything is drawn by the server.
"use strict";
(() => {
  const body = document.body;
  const part = (name) => document.getElementById(name);
  const here = () => ({ user: body.dataset.user, channel: body.dataset.channel });
  let version = body.dataset.version;
  let view = body.dataset.view;

  const note = (text) => {
    const place = part("note");
    place.textContent = text;
    place.hidden = !text;
    if (text) setTimeout(() => { place.hidden = true; }, 4000);
  };

  const act = async (deed) => {
    const answer = await fetch("/page/do", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user: body.dataset.user, ...deed }),
    });
    if (!answer.ok) note((await answer.json()).error);
    await refresh();
  };

  const atEnd = () => {
    const place = part("scroll");
    return !place || place.scrollHeight - place.scrollTop - place.clientHeight < 80;
  };
  const toEnd = () => { const place = part("scroll"); if (place) place.scrollTop = place.scrollHeight; };

  const busy = (root) => {
    const active = document.activeElement;
    return root.contains(active) && ["SELECT", "INPUT", "TEXTAREA"].includes(active.tagName);
  };

  // What a person has put into an input stays when its message or modal is drawn anew.
  const kept = new Map();
  const boxes = (input) => [...input.querySelectorAll("input")];
  const keyOf = (input) => {
    const root = input.closest("[data-view]:not(body)") || input.closest("[data-ts]");
    return [root.dataset.view || root.dataset.ts, input.dataset.block, input.dataset.action].join("|");
  };
  const keep = (target) => {
    const input = target.closest("[data-kind]:not([data-kind=overflow])");
    if (input) kept.set(keyOf(input), input.matches(".options") ? boxes(input).map((box) => box.checked) : input.value);
  };
  const restore = (root) => {
    for (const input of root.querySelectorAll("[data-kind]:not([data-kind=overflow])")) {
      const value = kept.get(keyOf(input));
      if (value === undefined) continue;
      if (input.matches(".options")) boxes(input).forEach((box, index) => { box.checked = value[index]; });
      else input.value = value;
    }
  };

  // Only what changed is replaced, so that nobody loses the button under the pointer.
  const source = new WeakMap();
  const learn = (root) => { for (const node of root.children) source.set(node, node.outerHTML); };

  const replace = (old, fresh) => {
    const closed = new Set([...old.querySelectorAll("details:not([open])")].map((d) => d.dataset.key));
    source.set(fresh, fresh.outerHTML);
    old.replaceWith(fresh);
    for (const thread of fresh.querySelectorAll("details")) if (closed.has(thread.dataset.key)) thread.open = false;
    restore(fresh);
  };

  const sync = (root, wanted) => {
    const fresh = [...wanted.children];
    let whole = true;
    fresh.forEach((node, index) => {
      const old = root.children[index];
      if (!old) { source.set(node, node.outerHTML); root.append(node); restore(node); return; }
      if (source.get(old) === node.outerHTML) return;
      if (busy(old)) whole = false;
      else replace(old, node);
    });
    while (root.children.length > fresh.length) root.lastElementChild.remove();
    return whole;
  };

  const parsed = (html) => { const box = document.createElement("template"); box.innerHTML = html; return box.content; };

  const drawMain = (html) => {
    const wanted = parsed(html);
    const end = atEnd();
    const whole = sync(part("scroll"), wanted.querySelector("#scroll"));
    if (end) toEnd();
    return whole;
  };

  const refresh = async () => {
    const query = new URLSearchParams({ ...here(), since: version });
    const answer = await fetch(`/page/parts?${query}`);
    if (answer.status !== 200) return;
    const parts = await answer.json();
    const drawn = [sync(part("side"), parsed(parts.side)), drawMain(parts.main)];
    if (parts.view !== view) { part("modal").innerHTML = parts.modal; restore(part("modal")); view = parts.view; }
    if (drawn.every(Boolean)) version = parts.version;
  };

  const optionOf = (input) => ({ text: { type: "plain_text", text: input.closest("label") ? input.closest("label").innerText.trim() : input.innerText, emoji: true }, value: input.value });

  const holds = (input) => {
    const kind = input.dataset.kind;
    if (kind === "radio_buttons") { const on = input.querySelector(":checked"); return { type: kind, selected_option: on ? optionOf(on) : null }; }
    if (kind === "checkboxes" || kind === "multi_static_select") return { type: kind, selected_options: [...input.querySelectorAll(":checked")].map(optionOf) };
    if (kind === "static_select") { const on = input.selectedOptions[0]; return { type: kind, selected_option: input.value ? optionOf(on) : null }; }
    const names = { datepicker: "selected_date", timepicker: "selected_time", users_select: "selected_user" };
    return { type: kind, [names[kind] || "value"]: input.value || null };
  };

  const standing = (root) => {
    const values = {};
    for (const input of root.querySelectorAll("[data-kind]:not([data-kind=overflow])")) {
      (values[input.dataset.block] = values[input.dataset.block] || {})[input.dataset.action] = holds(input);
    }
    return values;
  };

  const sure = (text) => new Promise((resolve) => {
    const wanted = JSON.parse(text);
    const dialog = part("confirm");
    dialog.querySelector("h2").textContent = wanted.title;
    dialog.querySelector("p").textContent = wanted.text;
    const [no, yes] = dialog.querySelectorAll("button");
    no.textContent = wanted.no;
    yes.textContent = wanted.yes;
    no.onclick = () => { dialog.close(); resolve(false); };
    yes.onclick = () => { dialog.close(); resolve(true); };
    dialog.showModal();
  });

  const use = async (input, value) => {
    if (input.dataset.confirm && !(await sure(input.dataset.confirm))) return;
    const root = input.closest("[data-view]:not(body)") || input.closest("[data-ts]");
    if (input.dataset.url) window.open(input.dataset.url, "_blank", "noopener,noreferrer");
    const deed = { do: "click", action_id: input.dataset.action, block_id: input.dataset.block, value, values: standing(root) };
    if (root.dataset.view) deed.view = root.dataset.view;
    else Object.assign(deed, { channel: root.dataset.channel, ts: root.dataset.ts });
    input.blur();
    await act(deed);
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-channel]");
    if (link && link.dataset.channel === "home") act({ do: "home" });
    const button = event.target.closest("button[data-do]");
    if (!button) return;
    if (button.dataset.do === "click") use(button, button.dataset.value);
    if (button.dataset.do === "dismiss") act({ do: "dismiss", ts: button.dataset.ts });
    if (button.dataset.do === "close") act({ do: "close", view: part("view").dataset.view });
  });

  document.addEventListener("input", (event) => keep(event.target));

  document.addEventListener("change", (event) => {
    const input = event.target;
    keep(input);
    if (input.id === "acting") { location.search = new URLSearchParams({ user: input.value, channel: body.dataset.channel }); return; }
    const element = input.closest("[data-do=choose]");
    if (!element || element.closest(".b-input")) return;
    const ticked = [...element.querySelectorAll(":checked")].map((box) => box.value).join(",");
    const many = ["checkboxes", "multi_static_select"].includes(element.dataset.kind);
    const value = many ? ticked : input.value;
    if (value || many) use(element, value);
  });

  document.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.target.id === "view") act({ do: "submit", view: event.target.dataset.view, values: standing(event.target) });
    if (event.target.id === "composer") {
      const text = event.target.elements.text.value;
      event.target.reset();
      if (text.trim()) act({ do: "write", channel: body.dataset.channel, text });
    }
  });

  learn(part("side"));
  learn(part("scroll"));
  toEnd();
  setInterval(() => { if (!document.hidden) refresh().catch(() => note("The sandbox does not answer.")); }, 700);
})();
