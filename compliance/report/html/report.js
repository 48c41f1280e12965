// The table of findings: sorted, filtered, searched and opened; what is chosen stands in the address. Texts are only ever set as text.
(() => {
  "use strict";
  document.documentElement.classList.add("js");

  // An action that a finding leads to may stand in a workstream that is folded.
  const reveal = () => {
    const row = location.hash.startsWith("#action-") ? document.getElementById(location.hash.slice(1)) : null;
    if (!row) return;
    for (let d = row.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
    row.focus({ preventScroll: true });
    row.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();

  const holder = document.getElementById("findings-data");
  const body = document.getElementById("rows");
  if (!holder || !body) return;

  const data = JSON.parse(holder.textContent);
  const PAGE = 50, MOST_PRINTED = 500;
  const FILTERS = ["q", "severity", "outcome", "regulation", "workstream", "team", "by", "due", "subject"];
  const SEVERITIES = ["requirement", "recommendation", "advice"];
  const STANDINGS = { open: "", late: "done since, late", past: "past" };
  const SHAPES = { requirement: "▲", recommendation: "◆", advice: "●" };
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const SORTS = { title: "Finding", severity: "Severity", subject: "About", team: "Team", due: "Due", on: "Put right by" };

  const label = (s) => { const t = s.replaceAll("-", " ").replaceAll("_", " "); return t.charAt(0).toUpperCase() + t.slice(1); };
  const number = (n) => n.toLocaleString("en-GB");
  const day = (iso) => iso ? `${Number(iso.slice(8))} ${MONTHS[Number(iso.slice(5, 7)) - 1]} ${iso.slice(0, 4)}` : "";
  const daysOn = (n) => {
    const on = new Date(`${data.asAt}T00:00:00Z`);
    on.setUTCDate(on.getUTCDate() + n);
    return on.toISOString().slice(0, 10);
  };
  const element = (name, attributes, ...inside) => {
    const made = document.createElement(name);
    for (const [k, v] of Object.entries(attributes || {})) if (v !== null) made.setAttribute(k, v);
    made.append(...inside.filter((x) => x !== null && x !== ""));
    return made;
  };

  const findings = data.findings.map((f, place) => {
    const rule = data.rules[f[0]], [failed, title, remedy, standing, danger, refs] = data.causes[f[4]];
    return {
      place, rule, unknown: f[1] === 1, key: f[2], argument: f[3], cause: f[4], failed, title, remedy, standing, danger, refs, missing: f[5],
      names: data.names[f[6]], values: f[7], file: data.files[f[8]], row: f[9], due: f[10], late: f[11], owner: f[12],
      team: data.teams[f[13]], since: f[14], times: f[15], accepted: f[16], actions: data.answers[f[17]].map((place) => data.actions[place]), text: "",
    };
  });
  // Made when somebody searches, or while nobody does anything.
  const textOf = (f) => f.text || (f.text = [
    f.title, f.danger, f.rule.id, f.rule.part, f.rule.under, f.rule.workstream, f.rule.by, f.key, f.owner, f.team, f.argument, f.accepted, ...f.actions.map(([id]) => id),
    ...f.rule.cites.map((c) => c[1]), ...f.values, f.file,
  ].join("\n").toLowerCase());

  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const pages = document.getElementById("pages");
  const previous = document.getElementById("prev"), next = document.getElementById("next");
  const chosen = document.getElementById("cause-chosen");
  const table = document.getElementById("table");
  const printing = document.getElementById("print");
  const natural = new Intl.Collator("en-GB", { numeric: true });

  // --- what is chosen ---

  // What a link elsewhere on the page shows alone: a cause, or what an action answers.
  const ALONE = ["cause", "action"];
  const none_alone = () => Object.fromEntries(ALONE.map((k) => [k, ""]));
  const alone_by = () => [
    ...new Set(causes().map((n) => data.causes[n][1])),
    ...(state.action === "" ? [] : [`what action ${state.action} answers`]),
  ];
  const causes = () => state.cause.split(",").filter((n) => n !== "").map(Number);
  let state = {};
  let matching = findings;
  const read = () => {
    const at = location.hash.indexOf("?");
    const asked = new URLSearchParams(location.hash.startsWith("#findings?") ? location.hash.slice(at + 1) : "");
    state = { sort: "", dir: "", cause: "", action: "", page: 1 };
    for (const k of FILTERS) state[k] = asked.get(k) || "";
    if ((asked.get("cause") || "").split(",").every((n) => Object.hasOwn(data.causes, n))) state.cause = asked.get("cause");
    if ((data.actions || []).some(([id]) => id === asked.get("action"))) state.action = asked.get("action");
    if (Object.hasOwn(SORTS, asked.get("sort"))) { state.sort = asked.get("sort"); state.dir = asked.get("dir") === "desc" ? "desc" : "asc"; }
    if (!Object.hasOwn(DUE, state.due)) state.due = "";
    state.page = Math.max(1, Number.parseInt(asked.get("page"), 10) || 1);
  };
  const write = () => {
    const said = new URLSearchParams();
    for (const k of [...FILTERS, ...ALONE]) if (state[k]) said.set(k, state[k]);
    if (state.sort) { said.set("sort", state.sort); if (state.dir === "desc") said.set("dir", "desc"); }
    if (state.page > 1) said.set("page", state.page);
    history.replaceState(null, "", `#findings${said.size ? `?${said}` : ""}`);
  };

  const within = (n) => { const last = daysOn(n); return [`Put right within ${n} days`, (f) => f.rule.on <= last]; };
  const DUE = {
    passed: ["Duty fell due, and is late", (f) => f.due !== "" && f.due <= data.asAt],
    7: within(7),
    28: within(28),
    90: within(90),
  };
  const FIELDS = {
    severity: (f) => f.rule.severity,
    outcome: (f) => f.unknown ? "not_evidenced" : "breach",
    regulation: (f) => f.rule.under,
    workstream: (f) => f.rule.workstream,
    team: (f) => f.team,
    by: (f) => f.rule.by,
  };

  const find = () => {
    const subject = state.subject.trim().toLowerCase();
    const tests = Object.keys(FIELDS).filter((k) => state[k]).map((k) => (f) => FIELDS[k](f) === state[k]);
    if (state.due) tests.push(DUE[state.due][1]);
    if (state.cause !== "") { const its = new Set(causes()); tests.push((f) => its.has(f.cause)); }
    if (state.action) tests.push((f) => f.actions.some(([id]) => id === state.action));
    if (subject) tests.push((f) => f.key.toLowerCase().includes(subject) || f.owner.toLowerCase().includes(subject));
    for (const w of state.q.toLowerCase().split(/\s+/)) if (w) tests.push((f) => textOf(f).includes(w));
    matching = findings.filter((f) => tests.every((t) => t(f)));
    const by = {
      title: (a, b) => natural.compare(a.title, b.title),
      severity: (a, b) => SEVERITIES.indexOf(a.rule.severity) - SEVERITIES.indexOf(b.rule.severity) || a.unknown - b.unknown,
      subject: (a, b) => natural.compare(a.owner, b.owner) || natural.compare(a.key, b.key),
      team: (a, b) => natural.compare(a.team, b.team),
      // What has no date comes last either way.
      due: (a, b) => (a.due === "") - (b.due === "") || (state.dir === "desc" ? b.due.localeCompare(a.due) : a.due.localeCompare(b.due)),
      on: (a, b) => a.rule.on.localeCompare(b.rule.on),
    }[state.sort];
    if (by) {
      const sign = state.dir === "desc" && state.sort !== "due" ? -1 : 1;
      matching.sort((a, b) => sign * by(a, b) || a.place - b.place);
    }
    state.page = Math.min(state.page, Math.max(1, Math.ceil(matching.length / PAGE)));
  };

  // --- a finding ---

  const linked = (actions) => element("span", null, ...actions.flatMap(([id, status], i) => [i ? ", " : "", element("a", { href: `#action-${id}` }, id), ` (${status})`]));
  const badge = (name, shape, said) => element("span", { class: `badge ${name}` }, element("span", { "aria-hidden": "true" }, shape), ` ${said}`);
  const under = (text) => text ? element("span", { class: "under" }, text) : null;
  const none = (text) => element("span", { class: "none" }, text);
  const list = (items) => element("ul", null, ...items.map((i) => element("li", null, i)));
  const pairs = (its) => element("dl", null, ...its.flatMap(([k, v]) => [element("dt", null, k), element("dd", null, v)]));

  const detail = (f) => {
    const r = f.rule;
    const left = element("div", null), right = element("div", null);
    const found = element("div", null, f.danger ? element("p", { class: "argument" }, `Danger: ${f.danger}`) : "", element("p", { class: "argument" }, f.argument), element("div", { class: "columns" }, left, right));
    if (f.failed.length) left.append(element("h3", null, f.unknown ? "What is not shown" : "What does not hold"), list(f.failed));
    if (f.missing.length) left.append(element("h3", null, "Fields that would be needed to tell"), list(f.missing.map((m) => m.replaceAll("_", " "))));
    left.append(element("h3", null, "Evidence"), pairs([...f.names.map((n, i) => [n, f.values[i]]), ["read from", `${f.file}, row ${f.row}`]]));
    left.append(element("h3", null, f.standing === "open" ? "Putting it right" : "What to do about it now"), element("p", null, f.remedy), pairs([
      ["by", `${day(r.on)}, ${r.by}`], ["workstream", label(r.workstream)],
      ...(data.actions ? [["action", f.actions.length ? linked(f.actions) : "none answers it yet"]] : []),
      ...(f.since ? [["restated", `since ${day(f.since)}, ${f.times} audits`]] : []),
    ]));
    right.append(element("h3", null, "What the rule asks"));
    right.append(...r.asks.map((s) => element("p", null, s)));
    if (r.conditions.length) right.append(list(r.conditions.map(([name, meaning]) => element("span", null, name, under(meaning)))));
    right.append(element("p", { class: "quiet" }, `Rule ${r.id}${r.own ? `, by your own figure (${r.own})` : ""}`));
    right.append(element("h3", null, "What it rests on"), list(r.cites.map(([id, ref, title, layer, sure]) =>
      element("span", null, `${ref}${title ? `: ${title}` : ""}`, under(`${id} · ${layer}${sure ? ` · confidence ${sure}` : ""}`)))));
    if (r.figures.length) right.append(element("h3", null, "Figures"), pairs(r.figures.map(([n, v, basis, source]) => [n, `${v} (${basis}: ${source})`])));
    if (r.note) right.append(element("h3", null, "Note"), element("p", null, r.note));
    return found;
  };

  const open = (button, f, id) => {
    const row = button.closest("tr");
    if (button.getAttribute("aria-expanded") === "true") {
      row.nextElementSibling.remove();
      button.setAttribute("aria-expanded", "false");
      button.removeAttribute("aria-controls");
      return;
    }
    row.after(element("tr", { role: "row", class: "detail", id }, element("td", { role: "cell", colspan: "6" }, detail(f))));
    button.setAttribute("aria-expanded", "true");
    button.setAttribute("aria-controls", id);
  };

  const line = (f) => {
    const r = f.rule;
    const button = element("button", { type: "button", class: "opens", "aria-expanded": "false" }, f.title);
    button.addEventListener("click", () => open(button, f, `detail-${f.place}`));
    const cell = (name, ...inside) => element("td", { role: "cell", "data-label": name }, ...inside);
    return element("tr", { role: "row" },
      cell(null, button, under(f.danger ? `Danger: ${f.danger}` : ""), under(`${f.refs[0] || r.ref} · ${label(r.workstream)}`), element("span", { class: "said" }, f.argument)),
      cell("Severity", element("span", null, badge(r.severity, SHAPES[r.severity], label(r.severity)), " ", f.unknown ? badge("unknown", "?", "Not evidenced") : null, under(STANDINGS[f.standing]), under(f.accepted))),
      cell("About", element("span", null, `${r.record} `, element("span", { class: "id" }, f.key), under(r.part), f.owner.endsWith(` ${f.key}`) ? null : under(f.owner))),
      cell("Team", element("span", null, f.team)),
      cell("Due", f.due ? element("span", null, day(f.due), under(f.late ? `${f.late} late` : f.due > data.asAt ? "still to come" : "")) : none("no date")),
      cell("Put right by", element("span", null, day(r.on), under(r.by), f.actions.length ? element("span", { class: "under" }, "Action ", linked(f.actions)) : null)));
  };

  // --- the page ---

  const draw = (from, to) => {
    body.replaceChildren(...matching.slice(from, to).map(line));
    for (const th of table.querySelectorAll("th[data-sort]")) {
      if (th.dataset.sort === state.sort) th.setAttribute("aria-sort", state.dir === "desc" ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    }
  };
  const show = () => {
    find();
    const from = (state.page - 1) * PAGE, to = Math.min(from + PAGE, matching.length), last = Math.max(1, Math.ceil(matching.length / PAGE));
    draw(from, to);
    const of = matching.length === findings.length ? number(findings.length) : `${number(matching.length)} that match, of ${number(findings.length)}`;
    shown.textContent = matching.length ? `Findings ${number(from + 1)} to ${number(to)} of ${of}.` : `No finding matches; there are ${number(findings.length)}.`;
    table.hidden = printing.hidden = matching.length === 0;
    pages.hidden = last === 1;
    document.getElementById("page").textContent = `Page ${number(state.page)} of ${number(last)}`;
    previous.disabled = state.page === 1;
    next.disabled = state.page === last;
    for (const k of FILTERS) form.elements[k].value = state[k];
    form.elements.sort.value = state.sort ? `${state.sort} ${state.dir}` : "";
    chosen.hidden = !alone_by().length;
    if (!chosen.hidden) {
      const clear = element("button", { type: "button" }, "Show all findings");
      clear.addEventListener("click", () => { change(none_alone()); form.elements.q.focus(); });
      chosen.replaceChildren(element("span", null, "Only: ", element("strong", null, alone_by().join("; "))), clear);
    }
  };
  // What is typed is answered at once, or no later than an answer takes where there is much to look through;
  // whatever else is done first takes it along.
  let waiting = 0, typed = {}, took = 0;
  const change = (what) => {
    clearTimeout(waiting);
    Object.assign(state, { page: 1 }, typed, what);
    typed = {};
    const began = performance.now();
    show();
    took = performance.now() - began;
    write();
  };

  const options = (name, all, its) => {
    const select = form.elements[name];
    select.append(element("option", { value: "" }, all), ...its.map(([value, said]) => element("option", { value }, said)));
  };
  const counted = (k, say, order) => {
    const n = new Map();
    for (const f of findings) n.set(FIELDS[k](f), (n.get(FIELDS[k](f)) || 0) + 1);
    return [...n.keys()].sort(order || natural.compare).map((v) => [v, `${say(v)} (${number(n.get(v))})`]);
  };
  options("severity", "All", counted("severity", label, (a, b) => SEVERITIES.indexOf(a) - SEVERITIES.indexOf(b)));
  options("outcome", "All", counted("outcome", label));
  options("regulation", "All", counted("regulation", (v) => v));
  options("workstream", "All", counted("workstream", label));
  options("team", "All", counted("team", (v) => v));
  options("by", "All", counted("by", label));
  options("due", "Any time", Object.entries(DUE).map(([k, [said]]) => [k, said]));
  options("sort", "First things first", Object.entries(SORTS).flatMap(([k, said]) => [[`${k} asc`, `${said}, upwards`], [`${k} desc`, `${said}, downwards`]]));

  for (const th of table.querySelectorAll("th[data-sort]")) {
    const button = element("button", { type: "button" }, th.textContent);
    button.addEventListener("click", () => {
      const k = th.dataset.sort;
      change(state.sort === k ? (state.dir === "asc" ? { dir: "desc" } : { sort: "", dir: "" }) : { sort: k, dir: "asc" });
    });
    th.replaceChildren(button);
  }
  form.addEventListener("input", (e) => {
    const { name, value } = e.target;
    if (name === "sort") { const [sort, dir] = value.split(" "); change({ sort: sort || "", dir: dir || "" }); return; }
    typed[name] = value;
    if (e.target.tagName !== "INPUT") { change({}); return; }
    clearTimeout(waiting);
    waiting = setTimeout(() => change({}), Math.min(took, 150));
  });
  form.addEventListener("submit", (e) => e.preventDefault());
  form.addEventListener("reset", (e) => {
    e.preventDefault();
    change({ ...Object.fromEntries(FILTERS.map((k) => [k, ""])), ...none_alone() });
  });
  previous.addEventListener("click", () => { change({ page: state.page - 1 }); (previous.disabled ? next : previous).focus(); });
  next.addEventListener("click", () => { change({ page: state.page + 1 }); (next.disabled ? previous : next).focus(); });
  const arrive = () => {
    read();
    show();
    if (location.hash.startsWith("#findings?")) {
      const heading = document.getElementById("findings-h");
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
      heading.scrollIntoView();
    }
  };
  addEventListener("hashchange", () => { if (location.hash.startsWith("#findings")) arrive(); });

  // --- on paper ---

  // All findings are pages upon pages: they are printed if somebody asks for them, or has chosen some of them.
  let alone = false;
  const described = () => {
    const said = FILTERS.filter((k) => state[k]).map((k) => {
      const its = form.elements[k];
      return `${its.labels[0].textContent}: ${its.options ? its.selectedOptions[0].textContent.replace(/ \([\d,]+\)$/, "") : state[k]}`;
    });
    return [...said, ...alone_by()].join("; ");
  };
  printing.addEventListener("click", () => { alone = true; print(); });
  addEventListener("beforeprint", () => {
    const some = matching.length < findings.length;
    document.documentElement.dataset.print = alone ? "findings" : some ? "chosen" : "summary";
    if (!alone && !some) {
      shown.textContent = `Not printed: ${number(findings.length)} findings. The page prints those that you filter or search for, and all by its button.`;
      return;
    }
    const n = Math.min(MOST_PRINTED, matching.length);
    draw(0, n);
    shown.textContent = `${number(matching.length)}${some ? ` of ${number(findings.length)}` : ""} findings${some ? ` (${described()})` : ""}${n < matching.length ? `; the first ${number(n)} are printed` : ""}.`;
  });
  addEventListener("afterprint", () => {
    alone = false;
    delete document.documentElement.dataset.print;
    show();
  });

  form.hidden = false;
  arrive();
  document.documentElement.dataset.ready = "yes";

  let prepared = 0;
  const prepare = (idle) => {
    while (prepared < findings.length && idle.timeRemaining() > 1) textOf(findings[prepared++]);
    if (prepared < findings.length) requestIdleCallback(prepare);
  };
  if (window.requestIdleCallback) requestIdleCallback(prepare);
})();
