/** The first thing to see: whether users are hurt, and the button that ends it. */

import { count, milliseconds, percent, share } from '../figures.js';
import { icon } from '../icons.js';
import { stopCanary } from '../orders.js';
import { may } from '../state.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { nameOf } from '../verdicts.js';
import { glue, t } from '../words.js';

const MOODS = {
  hurt: ['bad', 'hurt'],
  hurt_by_both: ['bad', 'hurt'],
  unwatched: ['warn', 'warn'],
  suspected: ['warn', 'warn'],
  promoted: ['good', 'fine'],
  unjudged: ['warn', 'unknown'],
  unclear: ['wait', 'wait'],
  fine: ['good', 'fine'],
  going_back: ['wait', 'back'],
  on_legacy: ['calm', 'calm'],
};

/** @param {object} status */
export function glance(status) {
  const { users } = status;
  const [mood, sign] = MOODS[users.state] ?? MOODS.unwatched;
  return html`<section class="glance card" data-mood=${mood} aria-labelledby="users">
    <div class="glance-sign">${icon(sign)}</div>
    <div class="glance-words">
      <h1 id="users">${glue(users.message)}</h1>
      ${users.finding ? html`<p class="finding">${users.about ? `${nameOf(users.about)}: ` : nothing}${glue(users.finding)}</p>` : nothing}
      ${advice(users.state)}
    </div>
    ${stop(status)} ${lastMinute(status)}
  </section>`;
}

function advice(state) {
  const text = t(`advice.${state}`);
  return text ? html`<p class="quiet">${text}</p>` : nothing;
}

function stop(status) {
  const nothingToStop = ['on_legacy', 'going_back'].includes(status.users.state);
  if (nothingToStop) return nothing;
  const allowed = may('operator');
  return html`<div class="glance-stop">
    <button class="button danger stop" ?disabled=${!allowed} aria-describedby="stop-note" @click=${stopCanary}>${icon('stop')}${t('stop.button')}</button>
    <p id="stop-note" class="quiet">${allowed ? t('stop.note') : t('order.role', { role: t('role.operator') })}</p>
  </div>`;
}

function lastMinute({ metrics, config }) {
  const { legacy, canary } = metrics;
  return html`<dl class="figures" aria-label=${t('glance.minute')}>
    ${pair('glance.errors', percent(canary.error_rate), percent(legacy.error_rate))}
    ${pair('glance.p95', milliseconds(canary.p95_response_time_ms), milliseconds(legacy.p95_response_time_ms))}
    ${pair('glance.requests', count(canary.request_count), count(legacy.request_count))}
    <div><dt>${t('glance.share')}</dt><dd><strong>${share(config.observed_percentage)}</strong> <span class="quiet">${t('glance.desired', { share: share(config.enabled ? config.canary_percentage : 0) })}</span></dd></div>
  </dl>`;
}

function pair(label, canary, legacy) {
  return html`<div>
    <dt>${t(label)}</dt>
    <dd><strong><span class="version canary">CANARY</span> ${canary}</strong> <span class="quiet"><span class="version legacy">LEGACY</span> ${legacy}</span></dd>
  </div>`;
}

/** What is wrong with the installation, each with what to do about it. */
export function problems(status) {
  if (!status.problems.length) return nothing;
  return html`<section class="problems card" aria-labelledby="problems">
    <h2 id="problems">${t('problems.title')}</h2>
    <ul>${status.problems.map((problem) => html`<li>${icon('warn')}<span>${glue(problem.message)}</span></li>`)}</ul>
  </section>`;
}
