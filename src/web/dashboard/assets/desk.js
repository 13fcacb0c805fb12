// The page's own script. It decides nothing about trading: it shows what the runtime says, says how old that is, and
// sends words that the runtime judges. Markup comes from the runtime alone, escaped there.

const LOST_AFTER = 2500; // Milliseconds without a word, where one comes every second.
const AGAIN_AFTER = 1500;
const body = document.body;
const $ = (id) => document.getElementById(id);
const all = (query, root = document) => [...root.querySelectorAll(query)];

// --- Time: the server's, carried on by the monotonic clock of this machine. ---
let serverAt = Number(body.dataset.at);
let heardAt = performance.now();
const serverNow = () => serverAt + (performance.now() - heardAt);

export function ageWords(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86400)];
  if (days) return `${days} d ${hours % 24} h`;
  if (hours) return `${hours} h ${minutes % 60} min`;
  if (minutes) return `${minutes} min ${seconds % 60} s`;
  return `${seconds} s`;
}

function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function tick() {
  const now = serverNow();
  write($("utc"), `${new Date(now).toISOString().slice(11, 19)} UTC`);
  for (const time of document.getElementsByClassName("age")) write(time, ageWords(now - Number(time.dataset.t)));
  freshness(now);
}

// --- Freshness: each source by its own limits, each panel by its sources. ---
function freshness(now) {
  const stale = new Map();
  for (const item of all(".source[data-source]")) {
    const { source, since, late, stale: limit, broken } = item.dataset;
    let word = "quiet";
    let age = since === undefined ? undefined : now - Number(since);
    if (source === "link") age = performance.now() - heardAt;
    if (broken !== undefined) word = "stale";
    else if (age === undefined) word = limit ? "stale" : "quiet";
    else if (limit && age >= Number(limit)) word = "stale";
    else if (late && age >= Number(late)) word = "late";
    else if (limit || late) word = "ok";
    if (source === "link") {
      word = lost ? "stale" : word;
      write(item.querySelector(".value"), lost || word !== "ok" ? ageWords(age) : "live");
    }
    const classes = `source ${word}`;
    if (item.className !== classes) item.className = classes;
    if (word === "stale") {
      const kind = source.split("/")[0];
      stale.set(kind, Math.max(stale.get(kind) ?? 0, age ?? 0));
    }
  }
  for (const panel of all(".panel[data-source]")) {
    const kinds = panel.dataset.source.split(" ").filter((kind) => stale.has(kind));
    const isStale = kinds.length > 0;
    panel.classList.toggle("is-stale", isStale);
    const age = Math.max(0, ...kinds.map((kind) => stale.get(kind)));
    write(panel.querySelector(".stale-note"), isStale ? `stale ${age ? ageWords(age) : ""} (${kinds.join(", ")})` : "");
  }
}

// --- Editions: parts are replaced, lists are patched row by row. ---
let edition = 0;
const rowsOf = new Map(); // list name -> Map(key -> its element and the markup it came as)

function elements(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.children];
}

/// Does something to the page without taking the focus from who uses it.
function keepingFocus(container, work) {
  const active = document.activeElement;
  const ack = container.contains(active) ? active.dataset.ack : undefined;
  work();
  if (ack !== undefined) all("[data-ack]", container).find((button) => button.dataset.ack === ack)?.focus();
}

/// Makes an element say what a new one says and answers the one that stands on the page afterwards. What is the same
/// keeps its place: the browser lays out again only what changed, and nothing that is out of sight.
function renew(old, made) {
  if (old.nodeName !== made.nodeName || old.childNodes.length !== made.childNodes.length) {
    old.replaceWith(made);
    return made;
  }
  for (const { name } of [...old.attributes]) if (!made.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of made.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const fresh = [...made.childNodes];
  [...old.childNodes].forEach((child, index) => {
    const other = fresh[index];
    if (child.isEqualNode(other)) return;
    if (child.nodeType === Node.ELEMENT_NODE) renew(child, other);
    else if (child.nodeType === other.nodeType) child.nodeValue = other.nodeValue;
    else child.replaceWith(other);
  });
  return old;
}

const CELL = "<td";
/// Writes the cells of a table's row that differ, without reading the markup of the others. False when more than the
/// inside of cells has changed. Text from outside is escaped in the markup, so that a cell's beginning is one.
function rewrite(row, before, after) {
  const [was, is] = [before.split(CELL), after.split(CELL)];
  if (is.length < 2 || was.length !== is.length || was[0] !== is[0]) return false;
  const cells = row.getElementsByTagName("td");
  const inside = [];
  for (let at = 1; at < is.length; at += 1) {
    if (was[at] === is[at]) continue;
    const begin = is[at].indexOf(">") + 1;
    if (is[at].slice(0, begin) !== was[at].slice(0, begin)) return false;
    inside.push([at - 1, is[at].slice(begin, is[at].lastIndexOf("</td>"))]);
  }
  for (const [at, text] of inside) {
    if (/[<&]/.test(text)) cells[at].innerHTML = text;
    else cells[at].textContent = text;
  }
  return true;
}

function patch(name, change) {
  const place = document.querySelector(`[data-list="${name}"]`);
  if (!place) return;
  keepingFocus(place, () => {
    if (change.all) {
      const made = elements(change.all.map((row) => row[1]).join(""));
      place.replaceChildren(...made);
      rowsOf.set(name, new Map(change.all.map(([key, html], index) => [key, { row: made[index], html }])));
      return;
    }
    const rows = rowsOf.get(name) ?? new Map();
    for (const key of change.del) {
      rows.get(key)?.row.remove();
      rows.delete(key);
    }
    const whole = change.set.filter(([key, html]) => {
      const known = rows.get(key);
      if (!known) return false;
      const done = rewrite(known.row, known.html, html);
      known.html = html;
      return !done;
    });
    const made = elements([...whole, ...change.add].map((row) => row[1]).join(""));
    whole.forEach(([key], index) => {
      const known = rows.get(key);
      known.row = renew(known.row, made[index]);
    });
    change.add.forEach(([key, html, before], index) => {
      const row = made[whole.length + index];
      place.insertBefore(row, before === null ? null : (rows.get(before)?.row ?? null));
      rows.set(key, { row, html });
    });
  });
}

export function apply(change) {
  if (change.from !== undefined && change.from !== edition) return false;
  for (const [name, html] of Object.entries(change.parts)) {
    for (const place of all(`[data-part="${name}"]`)) keepingFocus(place, () => { place.innerHTML = html; });
  }
  for (const [name, list] of Object.entries(change.lists)) patch(name, list);
  head(change.head);
  edition = change.edition;
  return true;
}

let title = document.title;
let icon = undefined;
let said = undefined;
function head(words) {
  if (words.title !== undefined) title = words.title;
  if (words.icon !== undefined) icon = words.icon;
  for (const name of ["look", "state", "version", "killed", "label"]) {
    if (words[name] !== undefined) body.dataset[name] = words[name];
  }
  if (words.says !== undefined && words.says !== said) {
    // Said once for each change, never for a second that passed.
    if (said !== undefined) write($(["killed", "halted"].includes(body.dataset.look) ? "shout" : "say"), words.says);
    said = words.says;
    for (const dialog of all("dialog[open] form[data-unsafe]")) moved(dialog);
  }
  account();
  crown();
}

function account() {
  for (const place of all("[data-account]")) write(place, body.dataset.label);
}

function crown() {
  document.title = lost ? `LINK LOST \u00b7 ${title}` : title;
  const wanted = `${body.dataset.icon}${lost ? "stale" : (icon ?? $("icon").href.split("-").pop().split(".")[0])}.svg`;
  if ($("icon").getAttribute("href") !== wanted) $("icon").setAttribute("href", wanted);
}

// --- The link: a word every second, or everything counts as old. ---
let lost = false;
let source;
let again;

function heard(at) {
  serverAt = at;
  heardAt = performance.now();
}

function lose(why) {
  write($("lost-why"), why);
  if (lost) return;
  lost = true;
  body.classList.add("lost");
  $("lost").hidden = false;
  write($("shout"), "Link lost. Nothing on this page is current.");
  crown();
  tick();
}

function found() {
  if (!lost) return;
  lost = false;
  body.classList.remove("lost");
  $("lost").hidden = true;
  write($("say"), "The link is back. The page shows the present again.");
  crown();
  tick();
}

let triedAt = performance.now();
function connect() {
  clearTimeout(again);
  again = undefined;
  triedAt = performance.now();
  source?.close();
  source = new EventSource("/desk/events");
  source.addEventListener("full", (event) => {
    const change = JSON.parse(event.data);
    // A whole edition replaces whatever stood here: changes are never carried over a gap.
    apply({ ...change, from: undefined });
    heard(change.at);
    found();
    sample(change);
    tick();
  });
  source.addEventListener("change", (event) => {
    const began = performance.now();
    const change = JSON.parse(event.data);
    if (lost) return retry("The runtime speaks again. Reading everything anew.", 0);
    if (!apply(change)) return retry("An update was missed. Reading everything again.", 0);
    heard(change.at);
    sample(change);
    tick();
    took(performance.now() - began);
  });
  source.addEventListener("beat", (event) => {
    if (lost) retry("The runtime speaks again. Reading everything anew.", 0);
    else heard(JSON.parse(event.data).at);
  });
  source.addEventListener("bye", () => retry("The runtime has ended or is starting again.", AGAIN_AFTER));
  source.onerror = () => retry("Connecting again.", AGAIN_AFTER);
}

/// Our own retry, because the browser's own waits longer than an operator may be left in the dark.
async function retry(why, after) {
  source?.close();
  lose(why);
  if (again !== undefined) return;
  again = setTimeout(connect, after);
  try {
    const answer = await fetch("/api/v1/status", { headers: { accept: "application/json" }, signal: AbortSignal.timeout(2000) });
    if (answer.status === 401) {
      clearTimeout(again);
      write($("lost-why"), "You are signed out. ");
      const link = document.createElement("a");
      link.href = "/login";
      link.textContent = "Sign in again";
      $("lost-why").append(link);
    }
  } catch {
    // Not reachable: the timer above tries again.
  }
}

function watch() {
  const silent = performance.now() - heardAt;
  if (silent > LOST_AFTER && again === undefined) {
    if (!lost) lose("No word for too long. Waiting.");
    // A connection that was just opened gets its time, however long nothing was heard.
    if (Math.min(silent, performance.now() - triedAt) > 2 * LOST_AFTER) retry("No word for too long. Connecting again.", AGAIN_AFTER);
  }
  if (lost) write($("lost-age"), ageWords(silent));
}

// How long updates take, for whoever measures: the last two hundred.
const costs = [];
function took(ms) {
  costs.push(ms);
  if (costs.length > 200) costs.shift();
}

// --- Words to the runtime. ---
const outcome = $("outcome");
function tell(text, bad = false) {
  write(outcome.querySelector("p"), text);
  outcome.classList.toggle("bad", bad);
  outcome.hidden = false;
}
outcome.querySelector("button").addEventListener("click", () => { outcome.hidden = true; });

const key = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function send(path, words, version) {
  const headers = { "content-type": "application/json", "idempotency-key": key(), "x-csrf-token": body.dataset.csrf };
  if (version !== undefined) headers["if-match"] = `"state-${version}"`;
  let answer;
  try {
    answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(words), signal: AbortSignal.timeout(10000) });
  } catch {
    return { good: false, text: "No answer. Nobody knows whether it was done: look at the state before you try again." };
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return { good: true, said };
  if (answer.status === 412) {
    return { good: false, text: `Refused: the state has changed since this was opened (412). It is now ${body.dataset.state}. Close this, look at the banner, decide again.` };
  }
  return { good: false, text: `Refused (${answer.status}): ${said.detail ?? said.title ?? "no reason was given"}` };
}

const DONE = {
  pause: "Paused. No new entries go out.",
  "reduce-only": "Reduce only. Nothing that makes a position larger goes out.",
  "cancel-all": "Cancels are under way for all open orders.",
  resume: "Resumed. Strategies trade again.",
  reset: "The halt is lifted. The desk is paused: resume begins trading.",
  ack: "Acknowledged under your name.",
};

function done(verb, said) {
  if (verb !== "kill") return DONE[verb];
  const disk = said.durable ? "The disk holds it." : `Not on the disk yet: ${said.durable_problem}.`;
  const flight = said.in_flight ? ` ${said.in_flight} placements that had begun have no answer yet.` : "";
  return `Killed${said.already ? " (it was engaged already)" : ""}. Nothing goes out. ${disk}${flight}`;
}

function open(name, prepare) {
  const dialog = $(`d-${name}`);
  if (!dialog || document.querySelector("dialog[open]")) return;
  const form = dialog.querySelector("form");
  form.reset();
  form.dataset.version = body.dataset.version;
  write(form.querySelector(".said"), lost ? "The link is lost: what stands here is old. The word is sent all the same." : "");
  prepare?.(form);
  dialog.showModal();
}

function moved(form) {
  if (form.dataset.version !== body.dataset.version) {
    write(form.querySelector(".said"), `The state has changed since this was opened: it is now ${body.dataset.state}. What you send will be refused.`);
  }
}

async function submit(form) {
  const verb = form.dataset.verb;
  const words = { reason: form.elements.reason?.value.trim() || "from the desk" };
  const said = form.querySelector(".said");
  if (form.elements.label && form.elements.label.value.trim() !== body.dataset.label) {
    write(said, `The label is ${body.dataset.label}: type it exactly.`);
    form.elements.label.focus();
    return;
  }
  const buttons = all("button:not(.cancel)", form);
  buttons.forEach((button) => { button.disabled = true; });
  const unsafe = form.dataset.unsafe !== undefined;
  const path = verb === "ack" ? `/api/v1/alerts/${encodeURIComponent(form.dataset.alert)}/ack` : `/api/v1/controls/${verb}`;
  const result = await send(path, words, unsafe ? form.dataset.version : undefined);
  buttons.forEach((button) => { button.disabled = false; });
  const dialog = form.closest("dialog");
  if (result.good) {
    dialog?.close();
    tell(done(verb, result.said));
  } else if (dialog) write(said, result.text);
  else tell(result.text, true);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.verb) return;
  event.preventDefault();
  submit(form);
});
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    event.preventDefault();
    open(opener.dataset.opens);
  }
  const ack = event.target.closest("[data-ack]");
  if (ack) openAck(ack);
  if (event.target.closest("dialog .cancel")) event.target.closest("dialog").close();
});

function openAck(button) {
  open("ack", (form) => {
    form.dataset.alert = button.dataset.ack;
    write($("d-ack-what"), button.dataset.what);
  });
}

// --- Keys open things. None of them does anything. ---
const PLACES = { a: "s-alerts", p: "s-positions", o: "s-orders", r: "s-risk", e: "s-timeline" };
let going = false;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, textarea, select")) return;
  if (going && PLACES[event.key]) {
    going = false;
    event.preventDefault();
    const place = $(PLACES[event.key]);
    place.scrollIntoView({ block: "start" });
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
    return;
  }
  going = event.key === "g";
  if (event.key === "?") open("help");
  else if (event.key === "p") open("pause");
  else if (event.key === "K") open("kill");
  else if (event.key === "a") {
    const row = document.activeElement?.closest(".alert") ?? document.querySelector(".alert:has([data-ack])");
    const button = row?.querySelector("[data-ack]");
    if (button) openAck(button);
  } else return;
  event.preventDefault();
});

// --- Charts: fifteen minutes of samples, drawn by uPlot when it has come. ---
const KEPT = 900;
const CHARTS = { equity: "equity", latency: "latency", feed: "feed" };
const samples = { t: [], equity: [], latency: [], feed: [] };
const plots = {};
function sample(change) {
  if (change.trend) {
    for (const name of Object.keys(samples)) samples[name] = change.trend[name] ?? samples[name];
  } else if (change.sample) {
    for (const name of Object.keys(samples)) {
      samples[name].push(change.sample[name] ?? null);
      if (samples[name].length > KEPT) samples[name].shift();
    }
  } else return;
  draw();
}

const UNITS = { equity: (v) => `${v.toFixed(2)}`, latency: (v) => `${v.toFixed(2)} ms`, feed: (v) => `${v.toFixed(1)} s` };
function draw() {
  for (const name of Object.keys(CHARTS)) {
    const known = samples[name].filter((value) => value !== null);
    const says = known.length ? `now ${UNITS[name](known.at(-1))}, least ${UNITS[name](Math.min(...known))}, most ${UNITS[name](Math.max(...known))}` : "not available";
    write($(`c-${name}-says`), says);
    const place = $(`c-${name}`);
    if (!window.uPlot || !known.length || !place.clientWidth) continue;
    const data = [samples.t, samples[name]];
    if (plots[name]) plots[name].setData(data);
    else plots[name] = new window.uPlot(options(name, place), data, place);
  }
}

function options(name, place) {
  const style = getComputedStyle(document.documentElement);
  const colour = (variable) => style.getPropertyValue(variable).trim();
  const axis = { stroke: colour("--dim"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
  return {
    width: place.clientWidth, height: 150, cursor: { show: false }, legend: { show: false },
    padding: [8, 6, 0, 0],
    scales: { x: { time: true } },
    axes: [{ ...axis, size: 26, space: 70, values: (_, at) => at.map((t) => new Date(t * 1000).toISOString().slice(11, 16)) }, { ...axis, size: 58 }],
    series: [{}, { stroke: colour("--accent"), width: 1.5, spanGaps: false, points: { show: false } }],
  };
}

new ResizeObserver(() => {
  for (const [name, plot] of Object.entries(plots)) plot.setSize({ width: $(`c-${name}`).clientWidth, height: 150 });
}).observe(document.querySelector(".charts"));
const library = document.createElement("script");
library.src = body.dataset.charts;
library.onload = draw;
document.head.append(library);

// --- Begin. ---
account();
all("a.button").forEach((link) => { link.setAttribute("role", "button"); });
icon = $("icon").getAttribute("href").split("-").pop().split(".")[0];
window.plimsoll = { costs, apply };
tick();
setInterval(tick, 1000);
setInterval(watch, 250);
connect();
