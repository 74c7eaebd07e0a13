/** What one asks for: a user's version, a report, a test of the alerts. */

import { order, read } from '../api.js';
import { explain as explainProblem, say } from '../dialog.js';
import { count, duration, share } from '../figures.js';
import { icon } from '../icons.js';
import { may, refresh, state } from '../state.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { t } from '../words.js';

const POINTS = 2 ** 32;

let answer = null;
let answerProblem = '';
let trials = null;
let trialsBusy = false;

export function explainSection(status) {
  return html`<section class="card" aria-labelledby="explain">
    <h2 id="explain">${t('explain.title')}</h2>
    <form class="inline" @submit=${explain}>
      <label class="field"><span>${t('explain.user')}</span><input name="user_id" required maxlength="1024" autocomplete="off" /></label>
      <label class="field"><span>${t('explain.endpoint')}</span>
        <select name="endpoint"><option value="*">${t('explain.any')}</option>${status.config.known_endpoints.map((name) => html`<option>${name}</option>`)}</select>
      </label>
      <button class="button">${t('explain.ask')}</button>
    </form>
    <div class="answer" role="status">${answerProblem ? html`<p class="problem">${answerProblem}</p>` : answer ? explained(answer) : nothing}</div>
  </section>`;
}

async function explain(event) {
  event.preventDefault();
  const form = new FormData(event.target);
  try {
    answer = await read('/explain', { user_id: form.get('user_id'), endpoint: form.get('endpoint') });
    answerProblem = '';
  } catch (problem) {
    answerProblem = explainProblem(problem);
  }
  refresh();
}

function explained(found) {
  const bucket = found.bucket ?? '–';
  const bound = count(Math.round((found.threshold / POINTS) * 10_000));
  return html`<p class="explained"><span class="version ${found.version}">${found.version.toUpperCase()}</span> <strong>${found.user_id}</strong>
    ${t(`reason.${found.reason}`, { bucket, bound, share: share(found.percentage) })}</p>`;
}

const REPORTS = ['readiness', 'comparison', 'checkpoint', 'baseline', 'incident', 'drill'];
let missing = '';

export function reportsSection() {
  return html`<section class="card" aria-labelledby="reports">
    <h2 id="reports">${t('reports.title')}</h2>
    <ul class="reports">
      ${REPORTS.map((kind) => html`<li><button class="button" aria-describedby="report-${kind}" @click=${() => openReport(kind)}>${t(`report.${kind}`)}</button><span class="quiet" id="report-${kind}">${t(`report.${kind}.note`)}</span></li>`)}
    </ul>
    <div class="answer" role="status">${missing ? html`<p class="problem">${missing}</p>` : nothing}</div>
  </section>`;
}

/** Looked at before it is opened, so that what is not there is said here. */
async function openReport(kind) {
  const url = `admin/canary/reports/${kind}?format=html&language=${document.documentElement.lang}`;
  const found = await fetch(url).catch(() => null);
  missing = found?.ok ? '' : t(found?.status === 404 ? 'reports.missing' : 'reports.failed', { kind: t(`report.${kind}`) });
  if (found?.ok) window.open(url, '_blank', 'noopener');
  refresh();
}

export function trialsSection() {
  const allowed = may('operator');
  return html`<section class="card" aria-labelledby="trials">
    <h2 id="trials">${t('trials.title')}</h2>
    <p class="quiet">${allowed ? t('trials.note') : t('order.role', { role: t('role.operator') })}</p>
    <button class="button" ?disabled=${!allowed || trialsBusy} @click=${tryChannels}>${t(trialsBusy ? 'trials.busy' : 'trials.send')}</button>
    <div class="answer" role="status">${trials ? results(trials) : nothing}</div>
  </section>`;
}

async function tryChannels() {
  trialsBusy = true;
  refresh();
  try {
    trials = (await order('/alerts/test', {})).results;
  } catch (problem) {
    trials = null;
    say(explainProblem(problem));
  }
  trialsBusy = false;
  refresh();
}

function results(list) {
  return html`<ul class="trials">
    ${list.map((each) => html`<li data-sign=${each.delivered ? 'fine' : 'hurt'}>${icon(each.delivered ? 'fine' : 'hurt')}<span><strong>${each.channel}</strong> ${each.delivered ? t('trials.delivered', { time: duration(each.seconds) }) : t('trials.failed', { error: each.error })}</span></li>`)}
  </ul>`;
}

export function fleetSection({ agents, controller }) {
  return html`<section class="card" aria-labelledby="fleet">
    <h2 id="fleet">${t('fleet.title')}</h2>
    <p>${controller.alive ? t('fleet.controller', { time: duration(controller.seconds_ago) }) : t('fleet.no_controller')}</p>
    <ul class="fleet">
      ${agents.map((agent) => html`<li>${icon(agent.adopted && !agent.breaker_open ? 'fine' : 'warn')}<span><strong>${agent.name}</strong> <span class="quiet">${t(agent.breaker_open ? 'fleet.breaker' : agent.adopted ? 'fleet.adopted' : 'fleet.behind', { time: duration(agent.seconds_ago) })}</span></span></li>`)}
    </ul>
    ${state.status?.config.source === 'manual' && state.status.config.changed_by ? html`<p class="quiet">${t('fleet.manual', { by: state.status.config.changed_by })}</p>` : nothing}
  </section>`;
}
