/** After the end: what a rollback took, and what to do next. */

import { since, time } from '../figures.js';
import { icon } from '../icons.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { has, t } from '../words.js';
import { nameOf } from '../verdicts.js';

/** What to do when nothing is running: before the first rollout, after a success, after a rollback. */
export function nextSteps(kind) {
  const steps = [1, 2, 3, 4].filter((number) => has(`next.${kind}.${number}`));
  return html`<section class="card next" aria-labelledby="next">
    <h2 id="next">${t(`next.${kind}`)}</h2>
    <ol>${steps.map((number) => html`<li>${t(`next.${kind}.${number}`)}</li>`)}</ol>
  </section>`;
}

/** @param {object} receipt */
export function receiptSection(receipt) {
  if (!receipt) return nothing;
  const instants = ['breach_at', 'decided_at', 'split_changed_at', 'last_canary_at', 'completed_at', 'deadline_at'];
  return html`<section class="card" aria-labelledby="receipt">
    <h2 id="receipt">${t('receipt.title')}</h2>
    <p class="lead">${t('receipt.cause', { cause: nameOf(receipt.cause), by: receipt.by })} ${receipt.message}</p>
    <dl class="receipt">
      <div data-sign=${receipt.deadline_met === false ? 'hurt' : 'fine'}><dt>${t('receipt.deadline_met')}</dt><dd><strong>${receipt.deadline_met === null ? nothing : icon(receipt.deadline_met ? 'fine' : 'hurt')} ${t(`receipt.met.${receipt.deadline_met}`)}</strong></dd></div>
      ${instants.map((name) => html`<div><dt>${t(`receipt.${name}`)}</dt><dd>${time(receipt[name])} ${after(receipt, name)}</dd></div>`)}
      ${receipt.unheard.length ? html`<div><dt>${t('receipt.unheard')}</dt><dd>${receipt.unheard.join(', ')}</dd></div>` : nothing}
      ${receipt.in_flight ? html`<div><dt>${t('receipt.in_flight')}</dt><dd>${receipt.in_flight}</dd></div>` : nothing}
    </dl>
  </section>`;
}

/** How long after the decision. */
function after(receipt, name) {
  const later = receipt[name] && ['split_changed_at', 'last_canary_at', 'completed_at'].includes(name);
  if (!later || receipt[name] < receipt.decided_at) return nothing;
  return html`<span class="quiet">${t('receipt.after', { time: since(receipt.decided_at, receipt[name]) })}</span>`;
}
