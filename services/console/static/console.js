// Keeps the page current: one request for the charts, one for each fragment that the server renders.

import { Chart } from "./charts.js";

const REFRESH_MILLISECONDS = 2000;
const element = (id) => document.getElementById(id);
const selected = { target: "", window: null };

const charts = new Map(
  [...document.querySelectorAll("[data-chart]")].map((figure) => [
    figure.dataset.chart,
    new Chart(figure.querySelector(".plot"), pickWindow),
  ]),
);

function query(extra = {}) {
  return new URLSearchParams({ target: selected.target, seconds: element("range").value, ...extra });
}

async function get(path, extra) {
  const response = await fetch(`${path}?${query(extra)}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
}

async function refreshTargets() {
  const { targets } = await (await get("/api/targets")).json();
  const menu = element("target");
  selected.target ||= targets[0]?.key ?? ""; // the one with the newest call; in the menu that order would not stay
  targets.sort((one, other) => one.name.localeCompare(other.name));
  if (targets.map((target) => target.key).join() !== [...menu.options].map((option) => option.value).join()) {
    menu.replaceChildren(...targets.map((target) => new Option(target.name, target.key, false, target.key === selected.target)));
  }
  selected.target = menu.value;
}

async function refreshCharts() {
  const series = await (await get("/api/series")).json();
  for (const chart of series.charts) charts.get(chart.name)?.show(chart, series);
  freshness(series.last_call_at, series.now);
}

function freshness(last, now) {
  const stale = last !== null && now - last > 30;
  element("freshness").classList.toggle("stale", stale);
  if (last === null) return say("waiting for the first call");
  say(`last call ${Math.max(0, Math.round(now - last))} s ago`, stale ? "no calls for half a minute" : "calls arrive");
}

// What is read out loud changes with the state alone, not with every second.
function say(text, state = text) {
  element("freshness").textContent = text;
  if (element("state").textContent !== state) element("state").textContent = state;
}

async function refreshFragment(place) {
  const extra = place.id === "worst" ? { metric: element("metric").value, ...(selected.window ?? {}) } : {};
  const html = await (await get(`/fragments/${place.dataset.fragment}`, extra)).text();
  const inUse = place.querySelector(":focus-visible"); // who is in it by keyboard would lose the place
  if (place.dataset.shown !== html && !inUse) {
    place.innerHTML = html; // rendered and escaped by our own server; the policy of the page forbids scripts in it
    place.dataset.shown = html;
  }
  place.querySelectorAll("time").forEach(showTime);
}

function showTime(time) {
  const moment = new Date(time.dateTime);
  const today = moment.toDateString() === new Date().toDateString();
  const text = today ? moment.toLocaleTimeString() : moment.toLocaleString();
  if (time.textContent !== text) time.textContent = text;
  time.title = moment.toString();
}

function pickWindow(time) {
  const step = Number(element("range").value) / 60;
  selected.window = { from: time - step, to: time + step };
  element("window").textContent = `around ${new Date(time * 1000).toLocaleTimeString()}`;
  element("whole").hidden = false;
  refreshFragment(element("worst"));
}

function wholeRange() {
  selected.window = null;
  element("window").textContent = "of the whole range; click a chart to choose a window";
  element("whole").hidden = true;
  refreshFragment(element("worst"));
}

async function refresh() {
  try {
    await refreshTargets();
    if (selected.target) {
      await Promise.all([refreshCharts(), ...[...document.querySelectorAll("[data-fragment]")].map(refreshFragment)]);
    }
    document.body.classList.remove("away");
  } catch {
    document.body.classList.add("away");
    say("the console does not answer; trying again");
  }
}

async function keepCurrent() {
  if (!document.hidden) await refresh();
  setTimeout(keepCurrent, REFRESH_MILLISECONDS);
}

// A link may name the range, as long as the menu offers it: /?seconds=300
const asked = new URLSearchParams(location.search).get("seconds");
if ([...element("range").options].some((option) => option.value === asked)) element("range").value = asked;

for (const id of ["target", "range", "metric"]) element(id).addEventListener("change", refreshNow);
element("whole").addEventListener("click", wholeRange);

element("measures").addEventListener("click", ({ target }) => {
  const name = target.dataset.metric;
  if (!name) return;
  const menu = element("metric");
  if (![...menu.options].some((option) => option.value === name)) menu.add(new Option(name, name));
  menu.value = name;
  refreshFragment(element("worst"));
  menu.scrollIntoView({ behavior: "smooth", block: "center" });
});

function refreshNow() {
  selected.target = element("target").value;
  refresh();
}

keepCurrent();
