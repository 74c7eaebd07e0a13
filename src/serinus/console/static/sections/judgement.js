/** Every SLO, gate and trigger, with its value beside its need and the time that is left. */

import * as figures from '../figures.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { ABSOLUTE, badge, comparedFigures, evidenceFigures, limitNeed, nameOf } from '../verdicts.js';
import { glue, t } from '../words.js';

const FINISHED = ['succeeded', 'rolled_back'];
const NEVER_SECONDS = 1_000 * 86_400; // what the analysis says where no requests come

/** @param {object} rollout */
export function judgement(rollout) {
  const ended = FINISHED.includes(rollout.phase);
  return html`<section class="card" aria-labelledby="judgement">
    <h2 id="judgement">${t(ended ? 'judgement.at_the_end' : 'judgement.title')}</h2>
    ${rollout.report ? nothing : html`<p class="quiet">${t('judgement.none')}</p>`}
    ${table('judgement.slo', sloRows(rollout))} ${table('judgement.gates', gateRows(rollout))} ${table('judgement.triggers', triggerRows(rollout))}
  </section>`;
}

/** @typedef {{name: string, verdict: string, value: string, need: string, left: string, message: string}} Row */

function table(title, rows) {
  if (!rows.length) return nothing;
  return html`<div class="scroll" role="group" tabindex="0" aria-label=${t(title)}>
    <table class="stacked judged">
      <caption>${t(title)}</caption>
      <thead><tr>${['verdict', 'what', 'value', 'need', 'left', 'why'].map((each) => html`<th scope="col">${t(`column.${each}`)}</th>`)}</tr></thead>
      <tbody>${rows.map(row)}</tbody>
    </table>
  </div>`;
}

/** @param {Row} one */
function row(one) {
  return html`<tr>
    <td class="judged-by">${badge(one.verdict)}</td>
    <th scope="row">${one.name}</th>
    ${cell('value', one)} ${cell('need', one)} ${cell('left', one)}
    <td class="why">${glue(one.message)}</td>
  </tr>`;
}

/** What is not known takes no place where rows are stacked. */
function cell(name, one) {
  return html`<td class="number" data-label=${t(`column.${name}`)} data-known=${String(one[name] !== figures.UNKNOWN)}>${one[name]}</td>`;
}

function sloRows({ report, phase }) {
  if (!report) return [];
  const row = (check, name, { value, need }) => ({ name, verdict: check.verdict, value, need, left: FINISHED.includes(phase) ? figures.UNKNOWN : timeLeft(check), message: check.message });
  const observed = report.slo.map((check) => row(check, nameOf(check.name), comparedFigures(check)));
  const proof = report.proof.map((check) => row(check, nameOf(`proof:${check.name}`), evidenceFigures(check)));
  const worse = [...report.worse, ...report.holds].map((check) => row(check, nameOf(`worse:${check.name}`), evidenceFigures(check)));
  return [...observed, ...proof, ...worse];
}

/** At the pace of the step, as the sentence beside it says; none where no end is in sight. */
function timeLeft({ numbers }) {
  const seconds = numbers.more_seconds;
  return seconds && seconds < NEVER_SECONDS ? `≈ ${figures.duration(seconds)}` : figures.UNKNOWN;
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
