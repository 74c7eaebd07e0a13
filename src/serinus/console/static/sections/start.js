/** Starting a rollout: a plan that ships, or one's own, seen before it begins. */

import { read } from '../api.js';
import { ask } from '../dialog.js';
import { duration, share } from '../figures.js';
import { may, refresh, state } from '../state.js';
import { live } from '../vendor/lit-html/directives/live.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { t } from '../words.js';

/** @type {{name: string, final: string, steps: object[], source: string}[] | null} */
let plans = null;
let asking = false;
let chosen = 'phase4';
/** @type {string | null} */
let written = null;

export function startSection() {
  void fetchPlans();
  const plan = plans?.find((each) => each.name === chosen);
  const allowed = may('approver');
  return html`<section class="card" aria-labelledby="start">
    <h2 id="start">${t('start.title')}</h2>
    <p class="lead">${t('start.lead')}</p>
    ${plan ? form(plan, allowed) : nothing}
    <p class="quiet">${t('start.terminal')} <code>serinus start ${chosen}</code></p>
  </section>`;
}

async function fetchPlans() {
  if (plans || asking) return;
  asking = true;
  try {
    ({ plans } = await read('/plans'));
  } catch {
    plans = null; // asked again with the next picture
  }
  asking = false;
  refresh();
}

function form(plan, allowed) {
  return html`<form class="inline" @submit=${begin}>
      <label class="field"><span>${t('start.plan')}</span>
        <select name="plan" .value=${live(chosen)} @change=${choose}>${plans.map((each) => html`<option value=${each.name} ?selected=${each.name === chosen}>${each.name}</option>`)}</select>
      </label>
      <button class="button primary" ?disabled=${!allowed}>${t('start.button')}</button>
    </form>
    ${allowed ? nothing : html`<p class="quiet">${t('order.role', { role: t('role.approver') })}</p>`}
    ${written === null ? preview(plan) : html`<p class="quiet">${t('start.changed')}</p>`}
    <details>
      <summary>${t('start.source')}</summary>
      <textarea class="source" aria-label=${t('start.source')} rows="16" spellcheck="false" .value=${live(written ?? plan.source)} @input=${write}></textarea>
    </details>`;
}

function preview(plan) {
  const steps = plan.steps.map((step) => html`<li>${t(step.approvals.length ? 'start.step_approved' : 'start.step', {
    share: share(step.percentage), time: duration(step.bake_seconds), evidence: t(`evidence.${step.evidence}`), approvals: step.approvals.join(', '),
  })}</li>`);
  return html`<ol class="plan">${steps}<li>${t(plan.final === 'hold' ? 'start.hold' : 'start.promote')}</li></ol>`;
}

function choose(event) {
  chosen = event.target.value;
  written = null;
  refresh();
}

function write(event) {
  const source = plans?.find((each) => each.name === chosen)?.source;
  written = event.target.value === source ? null : event.target.value;
  refresh();
}

function begin(event) {
  event.preventDefault();
  const plan = written === null ? { plan: chosen } : { source: written };
  const before = state.status?.rollout;
  const backOff = before?.phase === 'rolled_back';
  ask({
    title: t('start.confirm_title', { plan: written === null ? chosen : t('start.own') }),
    consequence: t('start.consequence'),
    confirm: t('start.button'),
    reasonNeeded: true,
    path: '/rollout/start',
    body: (reason, fields) => ({ ...plan, reason, force: fields.get('force') === 'on' }),
    more: backOff ? forceField : undefined,
    done: t('start.done'),
  });
}

function forceField() {
  return html`<label class="check"><input type="checkbox" name="force" /> <span>${t('start.force')}</span></label>`;
}
