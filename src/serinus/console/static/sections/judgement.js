/** Every SLO, gate and trigger, with its value beside its need and the time that is left. */

import * as figures from '../figures.js';
import { state } from '../state.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { ABSOLUTE, badge, comparedFigures, evidenceFigures, limitNeed, nameOf } from '../verdicts.js';
import { t } from '../words.js';

/** @param {object} rollout */
export function judgement(rollout) {
  return html`<section class="card" aria-labelledby="judgement">
    <h2 id="judgement">${t('judgement.title')}</h2>
    ${rollout.report ? nothing : html`<p class="quiet">${t('judgement.none')}</p>`}
    ${table('judgement.slo', sloRows(rollout))} ${table('judgement.gates', gateRows(rollout))} ${table('judgement.triggers', triggerRows(rollout))}
  </section>`;
}

/** @typedef {{name: string, verdict: string, value: string, need: string, left: string, message: string}} Row */

function table(title, rows) {
  if (!rows.length) return nothing;
  return html`<div class="scroll" role="group" tabindex="0" aria-label=${t(title)}>
    <table class="stacked">
      <caption>${t(title)}</caption>
      <thead><tr>${['verdict', 'what', 'value', 'need', 'left', 'why'].map((each) => html`<th scope="col">${t(`column.${each}`)}</th>`)}</tr></thead>
      <tbody>${rows.map(row)}</tbody>
    </table>
  </div>`;
}

/** @param {Row} one */
function row(one) {
  return html`<tr>
    <td>${badge(one.verdict)}</td>
    <th scope="row">${one.name}</th>
    <td class="number" data-label=${t('column.value')}>${one.value}</td>
    <td class="number" data-label=${t('column.need')}>${one.need}</td>
    <td class="number" data-label=${t('column.left')}>${one.left}</td>
    <td class="why">${one.message}</td>
  </tr>`;
}

function sloRows({ report }) {
  if (!report) return [];
  const observed = report.slo.map((check) => checkRow(check, nameOf(check.name), comparedFigures(check)));
  const proof = report.proof.map((check) => checkRow(check, nameOf(`proof:${check.name}`), evidenceFigures(check)));
  const worse = [...report.worse, ...report.holds].map((check) => checkRow(check, nameOf(`worse:${check.name}`), evidenceFigures(check)));
  return [...observed, ...proof, ...worse];
}

function checkRow(check, name, { value, need }) {
  return { name, verdict: check.verdict, value, need, left: timeLeft(check), message: check.message };
}

/** At the last minute's traffic, until there are requests enough. */
function timeLeft({ numbers }) {
  const perSecond = (state.status?.metrics.canary.request_count ?? 0) / 60;
  return numbers.more_requests && perSecond ? `≈ ${figures.duration(numbers.more_requests / perSecond)}` : figures.UNKNOWN;
}

function gateRows(rollout) {
  return rollout.gates.filter((gate) => gate.kind !== 'analysis').map((gate) => ({
    name: nameOf(gate.name),
    verdict: gate.verdict,
    value: gate.kind === 'bake' ? figures.duration(gate.value) : figures.UNKNOWN,
    need: gate.kind === 'bake' ? `≥ ${figures.duration(gate.need)}` : figures.UNKNOWN,
    left: gate.kind === 'bake' ? figures.duration(rollout.seconds_left) : figures.UNKNOWN,
    message: gate.message,
  }));
}

function triggerRows(rollout) {
  const limits = new Map((rollout.report?.limits ?? []).map((limit) => [limit.name, limit]));
  return rollout.triggers.map((trigger) => triggerRow(trigger, limits.get(trigger.name), rollout));
}

function triggerRow(trigger, limit, rollout) {
  const breach = rollout.breaches.find((each) => each.trigger === trigger.name);
  const write = ABSOLUTE[trigger.metric] ?? figures.count;
  return {
    name: `${nameOf(trigger.name)} (${t(`severity.${trigger.severity}`)})`,
    verdict: limit?.breached ? 'fail' : (limit?.check.verdict ?? 'inconclusive'),
    value: write(limit?.check.value),
    need: limitNeed(trigger),
    left: breach ? figures.duration(breach.seconds_left) : t('trigger.deadline', { time: figures.duration(trigger.deadline_seconds) }),
    message: limit?.check.message ?? t('judgement.unmeasured'),
  };
}
