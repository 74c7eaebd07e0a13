/** Both versions over time: four plots under one cursor, what they say in words, and the same as a table. */

import { count, milliseconds, percent, share, time } from '../figures.js';
import { readFigures } from '../live.js';
import { Plot } from '../plot.js';
import { refresh, state, update } from '../state.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { t } from '../words.js';

const WINDOWS = ['15m', '1h', '6h', '24h', '7d'];
const TABLE_ROWS = 30;
const LEAST_POINTS = 24;
const CURVES = {
  errors: { value: (version) => version.error_rate, interval: (version) => version.error_rate_interval, write: (value) => share(value * 100) },
  p95: { value: (version) => version.p95_response_time_ms, interval: (version) => version.p95_interval_ms, write: milliseconds },
  p99: { value: (version) => version.p99_response_time_ms, interval: (version) => version.p99_interval_ms, write: milliseconds },
  requests: { value: (version) => version.request_count, write: count },
};
/** What is worth a mark, and its sign. */
const MARKS = {
  step_entered: '▲', promoted: '▲', rollback_started: '▼', rollback_completed: '▽', breach_opened: '!', frozen: '!',
  paused: 'Ⅱ', resumed: '▶', succeeded: '✓', approved: '✓', config_changed: '⚙', holding: '■',
};

const plots = new Map();
let pointedAt = null;
let tableOpen = false;

export function curves() {
  return html`<section class="card" aria-labelledby="curves">
    <header class="bar">
      <h2 id="curves">${t('curves.title')}</h2>
      <div class="choices">
        <fieldset class="segments"><legend class="unseen">${t('curves.window')}</legend>
          ${WINDOWS.map((window) => html`<label><input type="radio" name="window" value=${window} ?checked=${window === state.window} @change=${() => choose({ window })} /><span>${t(`window.${window}`)}</span></label>`)}
        </fieldset>
        <label><span class="unseen">${t('column.endpoint')}</span>
          <select @change=${(event) => choose({ endpoint: event.target.value || null })}>
            <option value="">${t('curves.everywhere')}</option>
            ${(state.status?.config.known_endpoints ?? []).map((name) => html`<option value=${name} ?selected=${name === state.endpoint}>${name}</option>`)}
          </select></label>
      </div>
    </header>
    <p class="legend"><span class="version canary">CANARY</span> <span class="version legacy">LEGACY</span> <span class="quiet">${t('curves.legend')}</span></p>
    <div class="readout" aria-hidden="true">${readout()}</div>
    <div class="plots" aria-busy=${String(state.drawn !== `${state.window} ${state.endpoint}`)}>
      ${Object.keys(CURVES).map((name) => html`<figure><figcaption>${t(`curve.${name}`)}</figcaption><div class="plot" id="plot-${name}" role="img" aria-label=${summary(name)}></div></figure>`)}
    </div>
    <details ?open=${tableOpen} @toggle=${toggleTable}><summary>${t('curves.table')}</summary>${tableOpen ? table() : nothing}</details>
  </section>`;
}

function choose(changes) {
  update(changes);
  void readFigures();
}

function toggleTable(event) {
  tableOpen = event.target.open;
  refresh();
}

/** Draw what the state has; after the section is on the page. */
export function drawCurves() {
  if (!state.timeline) return;
  const marks = state.events.filter((event) => MARKS[event.kind]).map((event) => ({ at: Date.parse(event.at) / 1_000, sign: MARKS[event.kind] }));
  for (const [name, curve] of Object.entries(CURVES)) {
    const place = document.getElementById(`plot-${name}`);
    if (!place) continue;
    if (plots.get(name)?.place !== place) plots.set(name, new Plot(place, curve, point));
    const points = fromFirstRequest(state.timeline.points);
    plots.get(name).show(name === 'requests' ? withoutPart(points) : points, marks);
  }
}

/** A point that still grows would look like a loss of requests. */
function withoutPart(points) {
  const last = points.at(-1);
  const ends = Date.parse(last?.at) + 1_000 * state.timeline.resolution_seconds;
  if (!last || ends <= Date.parse(state.status?.at)) return points;
  return [...points.slice(0, -1), { ...last, legacy: { request_count: null }, canary: { request_count: null } }];
}

/** Without the empty beginning of a service that is younger than the window; `LEAST_POINTS` at least. */
function fromFirstRequest(points) {
  const first = points.findIndex((each) => each.legacy.request_count + each.canary.request_count > 0);
  return points.slice(Math.max(0, Math.min(first - 1, points.length - LEAST_POINTS)));
}

function point(index) {
  if (index === pointedAt) return;
  pointedAt = index;
  refresh();
}

/** What stands under the cursor, or at the end. */
function readout() {
  const points = fromFirstRequest(state.timeline?.points ?? []);
  const at = points[pointedAt] ?? points.findLast((each) => each.legacy.request_count + each.canary.request_count > 0);
  if (!at) return t('curves.nothing');
  const parts = Object.entries(CURVES).map(([name, curve]) => html`<span class="read"><span class="quiet">${t(`curve.${name}`)}</span> <span class="version canary">${written(curve, at.canary)}</span> <span class="version legacy">${written(curve, at.legacy)}</span></span>`);
  return html`<strong class="read-at">${time(at.at)}</strong> ${parts} ${eventsAt(at)}`;
}

function written(curve, version) {
  const value = curve.value(version);
  const interval = curve.interval?.(version);
  const text = value === null ? '–' : curve.write(value);
  return interval && value !== null ? `${text} (${curve.write(interval[0])}–${curve.write(interval[1])})` : text;
}

function eventsAt(point) {
  const from = Date.parse(point.at);
  const until = from + 1_000 * state.timeline.resolution_seconds;
  const there = state.events.filter((event) => MARKS[event.kind] && Date.parse(event.at) >= from && Date.parse(event.at) < until);
  return there.map((event) => html`<span class="mark">${MARKS[event.kind]} ${event.title}</span>`);
}

/** The plot in a sentence, for who does not see it. */
function summary(name) {
  const last = (state.timeline?.points ?? []).findLast((each) => each.legacy.request_count + each.canary.request_count > 0);
  if (!last) return t('curves.nothing');
  const { value, write } = CURVES[name];
  const tell = (version) => (value(version) === null ? '–' : write(value(version)));
  return t('curves.summary', { curve: t(`curve.${name}`), window: t(`window.${state.window}`), canary: tell(last.canary), legacy: tell(last.legacy) });
}

function table() {
  const points = (state.timeline?.points ?? []).filter((each) => each.legacy.request_count + each.canary.request_count > 0).slice(-TABLE_ROWS).reverse();
  const names = Object.keys(CURVES);
  return html`<div class="scroll" role="group" tabindex="0" aria-label=${t('curves.table')}>
    <table>
      <thead>
        <tr><th scope="col">${t('column.time')}</th>${names.map((name) => html`<th scope="col">${t(`curve.${name}`)} CANARY</th><th scope="col">${t(`curve.${name}`)} LEGACY</th>`)}</tr>
      </thead>
      <tbody>
        ${points.map((each) => html`<tr><th scope="row">${time(each.at)}</th>${names.map((name) => html`<td class="number">${written(CURVES[name], each.canary)}</td><td class="number">${written(CURVES[name], each.legacy)}</td>`)}</tr>`)}
      </tbody>
    </table>
  </div>`;
}
