/** What happened, the latest first. */

import { time } from '../figures.js';
import { icon } from '../icons.js';
import { readOlder } from '../live.js';
import { state } from '../state.js';
import { repeat } from '../vendor/lit-html/directives/repeat.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { glue, t } from '../words.js';

/** The sign of each kind of event, in the list and on the curves. */
const SIGNS = {
  started: 'up', step_entered: 'up', advanced: 'up', promoted: 'up', succeeded: 'fine', approved: 'person', gate_waiting: 'person',
  breach_opened: 'hurt', deadline_missed: 'hurt', alert_raised: 'warn', frozen: 'warn', environment_incident: 'warn', breaker_opened: 'warn',
  rollback_started: 'back', rollback_completed: 'back', paused: 'pause', breach_cleared: 'fine', alert_resolved: 'fine', thawed: 'fine', breaker_closed: 'fine',
};
const SHOWN = 25;

let shown = SHOWN;

/** @param {string} kind */
export const signOf = (kind) => SIGNS[kind] ?? 'dot';

export function history() {
  const latest = state.events.slice(-shown).reverse();
  const more = shown < state.events.length || !state.eventsComplete;
  return html`<section class="card" aria-labelledby="history">
    <h2 id="history">${t('history.title')}</h2>
    ${latest.length ? nothing : html`<p class="quiet">${t('history.none')}</p>`}
    <ol class="events">${repeat(latest, (event) => event.sequence, entry)}</ol>
    ${more && latest.length ? html`<button class="button" @click=${older}>${t('history.older')}</button>` : nothing}
  </section>`;
}

function entry(event) {
  return html`<li data-sign=${signOf(event.kind)}>
    ${icon(signOf(event.kind))}
    <div>
      <p><time datetime=${event.at}>${time(event.at)}</time> <strong>${glue(event.title)}</strong></p>
      ${event.message ? html`<p class="quiet">${glue(event.message)}</p>` : nothing}
    </div>
  </li>`;
}

async function older() {
  shown += SHOWN;
  if (shown > state.events.length && !state.eventsComplete) await readOlder();
}
