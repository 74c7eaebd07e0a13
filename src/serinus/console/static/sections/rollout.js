/** The rollout as a line of steps: where it stands, what it waits for, and what a person may order. */

import { duration, share, since, time } from '../figures.js';
import { icon } from '../icons.js';
import { approvalObstacle, approve } from '../approvals.js';
import { possibleOrders } from '../orders.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { nameOf } from '../verdicts.js';
import { glue, t } from '../words.js';

/** @param {object} status */
export function rolloutSection(status) {
  const { rollout } = status;
  return html`<section class="card" aria-labelledby="rollout">
    <header class="bar">
      <h2 id="rollout">${t('rollout.title', { plan: rollout.plan })}</h2>
      <p class="phase" data-phase=${rollout.phase}>${t(`phase.${rollout.phase}`)}</p>
    </header>
    <p class="lead">${where(rollout, status.at)}</p>
    ${line(rollout)} ${rollout.phase === 'rolled_back' ? nothing : shares(status)} ${waiting(rollout)} ${orders()}
  </section>`;
}

/** Where it stands, in a sentence. */
function where(rollout, now) {
  const values = {
    step: rollout.step + 1,
    steps: rollout.step_count,
    share: share(rollout.desired_percentage),
    since: since(rollout.step_started_at, now),
    left: duration(rollout.seconds_left),
    person: rollout.pause?.by,
    reason: rollout.pause?.reason || '–',
  };
  return t(`where.${rollout.phase}`, values);
}

function line(rollout) {
  const end = { percentage: rollout.final === 'hold' ? null : 100, state: endState(rollout) };
  return html`<ol class="line" aria-label=${t('rollout.steps')}>
    ${rollout.steps.map((step) => station(rollout, step))}
    <li class="station" data-state=${end.state} aria-current=${end.state === 'current' ? 'step' : nothing}>
      <span class="knob">${end.state === 'done' ? icon('fine') : nothing}</span>
      <strong>${end.percentage === null ? t('rollout.stay') : share(100)}</strong>
      <span class="quiet">${end.percentage === null ? nothing : t('rollout.watch', { time: duration(rollout.watch_seconds) })}</span>
      <span class="unseen">${t(`station.${end.state}`)}</span>
    </li>
  </ol>`;
}

function endState(rollout) {
  if (rollout.phase === 'succeeded') return 'done';
  return rollout.phase === 'watching' || (rollout.phase === 'holding' && rollout.final === 'hold') ? 'current' : 'ahead';
}

function station(rollout, step) {
  const left = rollout.phase.startsWith('roll') && step.state === 'current' ? 'left' : step.state;
  return html`<li class="station" data-state=${left} aria-current=${left === 'current' ? 'step' : nothing}>
    <span class="knob">${left === 'done' ? icon('fine') : left === 'left' ? icon('back') : nothing}</span>
    <strong>${share(step.percentage)}</strong>
    <span class="quiet">${t('rollout.bake', { time: duration(step.bake_seconds) })}</span>
    <span class="quiet">${t(`evidence.${step.evidence}`)}</span>
    ${step.approvals.map((name) => html`<span class="quiet approval">${icon('person')}${name}</span>`)}
    ${left === 'current' ? baked(rollout) : nothing}
    <span class="unseen">${t(`station.${left}`)}</span>
  </li>`;
}

function baked(rollout) {
  const gate = rollout.gates.find((each) => each.kind === 'bake');
  if (!gate || !gate.need) return nothing;
  const part = Math.min(1, gate.value / gate.need);
  return html`<progress max="1" value=${part} aria-label=${t('rollout.baked')}></progress>`;
}

/** Desired and observed, one above the other on the same scale. */
function shares({ config, at }) {
  const desired = config.enabled ? config.canary_percentage : 0;
  return html`<div class="shares">
    <p><span>${t('share.desired')}</span><meter min="0" max="100" value=${desired} aria-label=${t('share.desired')}></meter><strong>${share(desired)}</strong></p>
    <p><span>${t('share.observed')}</span><meter min="0" max="100" value=${config.observed_percentage ?? 0} aria-label=${t('share.observed')}></meter><strong>${share(config.observed_percentage)}</strong></p>
    <p class="quiet">${t('share.note', { time: time(at) })}</p>
  </div>`;
}

/** Every gate that is closed, with its reason; a person's word can be given here. */
function waiting(rollout) {
  const closed = rollout.gates.filter((gate) => !gate.is_open);
  if (!closed.length) return nothing;
  return html`<div class="waiting">
    <h3>${t('rollout.waits')}</h3>
    <ul>
      ${closed.map((gate) => html`<li>
        ${icon(gate.kind === 'approval' ? 'person' : gate.verdict === 'fail' ? 'hurt' : gate.verdict === 'error' ? 'unknown' : 'wait')}
        <span><strong>${nameOf(gate.name)}</strong> ${glue(gate.message)}${gate.kind === 'bake' ? ` · ${t('rollout.left', { left: duration(rollout.seconds_left) })}` : ''}</span>
        ${gate.kind === 'approval' ? approvalButton(gate) : nothing}
      </li>`)}
    </ul>
  </div>`;
}

function approvalButton(gate) {
  const obstacle = approvalObstacle(gate.name);
  return html`<span class="approve">
    <button class="button primary" ?disabled=${Boolean(obstacle)} @click=${() => approve(gate.name)}>${t('order.approve', { gate: gate.name })}</button>
    ${obstacle ? html`<span class="quiet">${obstacle}</span>` : nothing}
  </span>`;
}

function orders() {
  const possible = possibleOrders();
  if (!possible.length) return nothing;
  const obstacles = new Map(possible.filter((each) => each.obstacle).map((each) => [each.label, each.obstacle]));
  return html`<div class="orders">
    <div class="buttons" role="group" aria-label=${t('order.title')}>
      ${possible.map((each) => html`<button
        class="button ${each.verb === 'rollback' ? 'danger-quiet' : ''}"
        ?disabled=${Boolean(each.obstacle)}
        @click=${each.open}
      >${each.label}</button>`)}
    </div>
    ${[...obstacles].map(([label, obstacle]) => html`<p class="quiet"><strong>${label}</strong> – ${obstacle}</p>`)}
  </div>`;
}

/** Other rollouts' names are in the history; this one's approvals and pause are told here. */
export function approvalsGiven(rollout) {
  if (!rollout.approvals.length) return nothing;
  return html`<ul class="given">
    ${rollout.approvals.map((given) => html`<li>${icon('person')}<span>${t('rollout.approved', { gate: given.gate, by: given.by, at: time(given.at) })} ${given.reason}</span></li>`)}
  </ul>`;
}
