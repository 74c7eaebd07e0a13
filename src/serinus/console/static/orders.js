/** What people may order of a rollout, and when. */

import { share } from './figures.js';
import { may, state } from './state.js';
import { html } from './vendor/lit-html/lit-html.js';
import { ask } from './dialog.js';
import { t } from './words.js';
import { nameOf } from './verdicts.js';

/**
 * @typedef {object} Possible
 * @property {string} verb
 * @property {string} role that it needs
 * @property {string} label
 * @property {string | null} obstacle why it is not possible at present
 * @property {() => void} open
 */

const rollout = () => state.status?.rollout ?? null;
const standing = () => rollout()?.standing;
const isLast = (one) => one.step === one.step_count - 1;
const closed = (one) => one.gates.filter((gate) => !gate.is_open);

/** In which phases each verb has a meaning. */
const PHASES = {
  pause: ['progressing', 'holding'],
  resume: ['paused'],
  advance: ['progressing'],
  promote: ['progressing', 'holding'],
  hold: ['progressing', 'watching'],
  rollback: ['pending', 'progressing', 'paused', 'holding', 'watching'],
};
const ROLES = { pause: 'operator', resume: 'operator', advance: 'approver', promote: 'approver', hold: 'operator', rollback: 'operator' };
const REASON_NEEDED = ['advance', 'promote', 'hold'];

/** @returns {Possible[]} */
export function possibleOrders() {
  const one = rollout();
  if (!one) return [];
  return Object.keys(PHASES)
    .filter((verb) => PHASES[verb].includes(one.phase) && suits(verb, one))
    .map((verb) => ({ verb, role: ROLES[verb], label: t(`order.${verb}`), obstacle: obstacle(verb, one), open: () => steer(verb, one) }));
}

/** Advance is for all steps but the last, from which one promotes or holds. */
function suits(verb, one) {
  if (verb === 'advance') return !isLast(one);
  if (verb === 'promote' || verb === 'hold') return isLast(one);
  return true;
}

function obstacle(verb, one) {
  if (!may(ROLES[verb])) return t('order.role', { role: t(`role.${ROLES[verb]}`) });
  const skippable = (gate) => gate.kind === 'bake' || (verb === 'advance' && gate.kind === 'analysis' && gate.verdict === 'inconclusive');
  const inTheWay = ['advance', 'promote'].includes(verb) ? closed(one).filter((gate) => !skippable(gate)) : [];
  if (!inTheWay.length) return null;
  return t('order.closed', { gates: inTheWay.map((gate) => nameOf(gate.name)).join(', ') });
}

function steer(verb, one) {
  const next = one.steps[one.step + 1]?.percentage ?? 100;
  const back = one.steps.at(-1)?.percentage;
  ask({
    title: t(`order.${verb}`),
    consequence: t(`order.${verb}.consequence`, { share: share(one.desired_percentage), next: share(next), back: share(back) }),
    confirm: t(`order.${verb}.confirm`),
    danger: verb === 'rollback',
    reasonNeeded: REASON_NEEDED.includes(verb),
    path: `/rollout/${verb}`,
    body: verb === 'pause' ? pauseBody : (reason) => ({ reason }),
    seen: verb === 'rollback' ? undefined : standing, // going back is right whatever has happened since
    more: verb === 'pause' ? () => capField(one) : undefined,
    done: t(`order.${verb}.done`),
  });
}

function pauseBody(reason, form) {
  const cap = String(form.get('cap') ?? '').trim();
  return cap ? { reason, cap_percentage: Number(cap) } : { reason };
}

function capField(one) {
  return html`<label class="field">
    <span>${t('order.pause.cap', { share: share(one.desired_percentage) })}</span>
    <input name="cap" type="number" min="0.01" max=${one.desired_percentage} step="any" inputmode="decimal" />
  </label>`;
}

/** Everybody to LEGACY, whether a rollout decides the share or a person has set it. */
export function stopCanary() {
  const one = rollout();
  const running = one && PHASES.rollback.includes(one.phase);
  ask({
    title: t('stop.title'),
    consequence: t(running ? 'stop.rollout' : 'stop.split', { share: share(state.status?.config.canary_percentage) }),
    confirm: t('stop.confirm'),
    danger: true,
    path: running ? '/rollout/rollback' : '/config',
    body: (reason) => (running ? { reason } : { enabled: false, canary_percentage: 0, reason }),
    done: t('stop.done'),
  });
}
