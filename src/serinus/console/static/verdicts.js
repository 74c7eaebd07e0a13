/** Verdicts, and the names and figures of what they are about. */

import * as figures from './figures.js';
import { icon, VERDICT_ICONS } from './icons.js';
import { html } from './vendor/lit-html/lit-html.js';
import { has, t } from './words.js';

/** @param {'pass' | 'fail' | 'inconclusive' | 'error'} verdict */
export function badge(verdict) {
  return html`<span class="badge" data-verdict=${verdict}>${icon(VERDICT_ICONS[verdict])}${t(`verdict.${verdict}`)}</span>`;
}

/**
 * A gate's, check's or trigger's name: its author's own where it is no metric of ours.
 * @param {string} name such as "bake", "proof:p95", "limit:availability"
 */
export function nameOf(name) {
  const [kind, metric] = name.includes(':') ? name.split(':', 2) : ['', name];
  const own = has(`name.${metric}`) ? t(`name.${metric}`) : metric;
  return kind && has(`kind.${kind}`) ? t(`kind.${kind}`, { name: own }) : own;
}

/** How a comparison's value or need is written. */
const COMPARED = {
  error_rate: figures.points,
  client_error_rate: figures.points,
  availability: figures.points,
  p95: figures.increase,
  volume: figures.count,
};

/** How a limit's value is written. */
export const ABSOLUTE = {
  error_rate: figures.percent,
  client_error_rate: figures.percent,
  availability: figures.percent,
  p95: figures.milliseconds,
  volume: figures.count,
};

/** @param {{metric: string, value: number | null, need: number | null, numbers: Record<string, number>}} check */
export function comparedFigures(check) {
  const write = COMPARED[check.metric] ?? figures.count;
  const sign = check.metric === 'volume' ? '>' : '<';
  return { value: write(check.value), need: check.need === null ? figures.UNKNOWN : `${sign} ${write(check.need).replace('+', '')}` };
}

/** Evidence gathered, of what is needed; for tests, whose value is their evidence. */
export function evidenceFigures(check) {
  const { evidence, evidence_needed: needed } = check.numbers;
  return { value: strength(evidence), need: needed === undefined ? figures.UNKNOWN : `≥ ${strength(needed)}` };
}

function strength(evidence) {
  if (evidence === undefined) return figures.UNKNOWN;
  if (evidence >= 1e6) return '> 1,000,000';
  return evidence >= 10 ? figures.count(evidence) : evidence.toFixed(1);
}

/** @param {{metric: string, value: number}} trigger */
export function limitNeed(trigger) {
  const sign = trigger.metric === 'availability' ? '≥' : '≤';
  return `${sign} ${(ABSOLUTE[trigger.metric] ?? figures.count)(trigger.value)}`;
}
