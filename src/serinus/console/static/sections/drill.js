/** The rollback rehearsed: the order, how it is getting on, and what the last one took. */

import { ask } from '../dialog.js';
import { count, duration, since, time } from '../figures.js';
import { icon } from '../icons.js';
import { may, state } from '../state.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { t } from '../words.js';

const FAULTS = ['errors', 'latency', 'outage'];
const SCOPES = ['staging', 'live-shadow'];
const INSTANTS = ['seen', 'decided', 'split_changed', 'last_canary', 'alerted', 'recovered'];
const ALERT_SECONDS = 60; // after the decision, as the service judges it
const USUAL_SECONDS = 25;
const ABANDONED_SECONDS = 3_600; // the service takes it to have died by then

export function drillSection(status) {
  const last = state.events.findLast((event) => event.kind.startsWith('drill_'));
  const running = last?.kind === 'drill_started' && secondsSince(last, status) < ABANDONED_SECONDS ? last : null;
  const ended = state.events.findLast((event) => event.kind === 'drill_completed');
  const obstacle = may('operator') ? '' : t('order.role', { role: t('role.operator') });
  return html`<section class="card" aria-labelledby="drill">
    <h2 id="drill">${t('drill.title')}</h2>
    <p class="quiet">${obstacle || t('drill.note')}</p>
    <button class="button" ?disabled=${Boolean(obstacle) || running !== null} @click=${begin}>${t('drill.start')}</button>
    <div class="answer" role="status">${running ? progress(running, status) : ended ? receipt(ended) : nothing}</div>
  </section>`;
}

function secondsSince(event, status) {
  return (Date.parse(status.at) - Date.parse(event.at)) / 1_000;
}

function progress(event, status) {
  const part = Math.min(0.95, Math.max(0.02, secondsSince(event, status) / USUAL_SECONDS));
  return html`<p>${t('drill.running', { time: since(event.at, status.at), usual: duration(USUAL_SECONDS) })}</p>
    <progress max="1" value=${part} aria-label=${t('drill.title')}></progress>`;
}

/** What an ended drill measured, each instant beside what was allowed. */
function receipt(event) {
  const { details } = event;
  const passed = Boolean(details.passed);
  return html`<div class="drilled">
    <p data-sign=${passed ? 'fine' : 'hurt'}>${icon(passed ? 'fine' : 'hurt')} <strong>${t(passed ? 'drill.passed' : details.fault_at ? 'drill.failed' : 'drill.aborted')}</strong></p>
    <p class="quiet">${t('drill.of', { fault: t(`fault.${details.fault}`), scope: t(`scope.${details.scope}`), at: time(event.at) })} ${details.error ?? ''}</p>
    ${details.fault_at ? table(details) : nothing}
  </div>`;
}

function table(details) {
  return html`<table>
    <thead><tr>${['what', 'after', 'allowed'].map((name) => html`<th scope="col">${t(`drill.column.${name}`)}</th>`)}</tr></thead>
    <tbody>
      ${INSTANTS.map((name) => html`<tr data-missed=${String(details.missed.includes(name))}>
        <th scope="row">${t(`drill.${name}`)}</th><td class="number">${after(details, name)}</td><td class="number">${duration(allowed(details, name))}</td>
      </tr>`)}
    </tbody>
  </table>
  <p class="quiet">${t('drill.counts', { requests: count(details.requests), canary: count(details.canary_requests), hurt: count(details.hurt) })}</p>`;
}

function after(details, name) {
  const at = details[`${name}_at`];
  return typeof at === 'number' ? duration(at - details.fault_at) : t('drill.never');
}

function allowed(details, name) {
  if (name !== 'alerted') return details.deadline_seconds;
  return (details.decided_at ?? details.fault_at) - details.fault_at + ALERT_SECONDS;
}

function begin() {
  ask({
    title: t('drill.ask'),
    consequence: t('drill.consequence'),
    confirm: t('drill.start'),
    path: '/drill',
    body: (reason, form) => ({ fault: form.get('fault'), scope: form.get('scope'), path: form.get('path'), reason }),
    more: fields,
    done: t('drill.begun'),
  });
}

function fields() {
  return html`<label class="field"><span>${t('drill.fault')}</span>
      <select name="fault">${FAULTS.map((name) => html`<option value=${name}>${t(`fault.${name}`)}</option>`)}</select></label>
    <label class="field"><span>${t('drill.scope')}</span>
      <select name="scope">${SCOPES.map((name) => html`<option value=${name}>${t(`scope.${name}`)}</option>`)}</select></label>
    <label class="field"><span>${t('drill.path')}</span><input name="path" value="/health" required pattern="/.*" maxlength="512" /></label>`;
}
