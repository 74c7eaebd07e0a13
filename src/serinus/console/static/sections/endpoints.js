/** Each endpoint with what both versions did there, and a switch that takes it out of the canary; of many, the first. */

import { ask } from '../dialog.js';
import { count, increase, milliseconds, percent, points } from '../figures.js';
import { may, refresh, state } from '../state.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { repeat } from '../vendor/lit-html/directives/repeat.js';
import { badge } from '../verdicts.js';
import { glue, t } from '../words.js';

const EVERYWHERE = '*';
const SHOWN_OF_MANY = 12;
const FEW = 15;

let allShown = false;

/** @param {object} status */
export function endpoints(status) {
  const measured = state.metrics?.endpoints ?? {};
  const names = [...new Set([...status.config.known_endpoints, ...Object.keys(measured)])].sort();
  if (!names.length) return nothing;
  const inOrder = [...names.filter((name) => stands(name, measured, status)), ...names.filter((name) => !stands(name, measured, status))];
  const isMany = names.length > FEW;
  const shown = isMany && !allShown ? inOrder.slice(0, SHOWN_OF_MANY) : inOrder;
  return html`<section class="card" aria-labelledby="endpoints">
    <h2 id="endpoints">${t('endpoints.title', { window: t(`window.${state.window}`) })}</h2>
    <div class="scroll" role="group" tabindex="0" aria-labelledby="endpoints">
      <table class="stacked">
        <thead>
          <tr>${['endpoint', 'verdict', 'requests', 'errors', 'p95', 'difference', 'switch'].map((each) => html`<th scope="col">${t(`column.${each}`)}</th>`)}</tr>
        </thead>
        <tbody>${repeat(shown, (name) => name, (name) => row(name, measured[name], status))}</tbody>
      </table>
    </div>
    ${isMany ? html`<button class="button" aria-expanded=${String(allShown)} @click=${toggleAll}>${allShown ? t('endpoints.fewer', { count: SHOWN_OF_MANY }) : t('endpoints.all', { count: names.length })}</button>` : nothing}
    <p class="quiet">${t('endpoints.note')}</p>
  </section>`;
}

function toggleAll() {
  allShown = !allShown;
  refresh();
}

/** Whether somebody will look for it first: it fails, or it has a rule of its own. */
function stands(name, measured, status) {
  return verdictAt(name, measured[name], status) === 'fail' || status.config.endpoints.some((rule) => rule.template === name);
}

function foundAt(name, status) {
  return status.rollout?.report?.endpoints.find((check) => check.endpoint === name);
}

/** Null without a rollout: there is nothing to judge by. */
function verdictAt(name, measured, status) {
  if (!status.rollout) return null;
  return foundAt(name, status) ? 'fail' : verdictOf(measured, status.rollout);
}

function row(name, measured, status) {
  const found = foundAt(name, status);
  const verdict = verdictAt(name, measured, status);
  return html`<tr>
    <th scope="row"><code>${name}</code></th>
    <td class="judged-by">${verdict ? badge(verdict) : '–'}</td>
    ${both('requests', measured, (version) => count(version.request_count))}
    ${both('errors', measured, (version) => percent(version.error_rate))}
    ${both('p95', measured, (version) => milliseconds(version.p95_response_time_ms))}
    <td class="differs" data-label=${t('column.difference')}>${difference(measured?.comparison)}</td>
    <td class="switched">${toggle(name, status.config)}</td>
  </tr>
  ${found ? html`<tr class="because"><td colspan="7" class="quiet">${glue(found.message)}</td></tr>` : nothing}`;
}

function both(label, measured, write) {
  const lines = measured ? html`<span class="version canary">${write(measured.canary)}</span> <span class="version legacy">${write(measured.legacy)}</span>` : '–';
  return html`<td class="number both" data-label=${t(`column.${label}`)}>${lines}</td>`;
}

function difference(comparison) {
  if (!comparison) return '–';
  const { intervals } = comparison;
  return html`<span>${points(comparison.error_rate_difference)} ${between(intervals.error_rate_difference, points)}</span> <span>P95 ${increase(comparison.p95_increase)} ${between(intervals.p95_increase, increase)}</span>`;
}

function between(interval, write) {
  return interval ? html`<span class="quiet">(${write(interval[0])} … ${write(interval[1])})</span>` : nothing;
}

/** The window's interval against the plan's margin: surely within, surely beyond, or not to be told. */
function verdictOf(measured, rollout) {
  const intervals = measured?.comparison.intervals;
  if (!intervals?.error_rate_difference) return 'inconclusive';
  const margins = rollout.definition.slo;
  const asked = [
    [intervals.error_rate_difference, margins.error_rate_margin_points / 100],
    [intervals.p95_increase, margins.p95_margin_percent / 100],
  ];
  if (asked.some(([interval, margin]) => interval && interval[0] >= margin)) return 'fail';
  return asked.every(([interval, margin]) => interval && interval[1] < margin) ? 'pass' : 'inconclusive';
}

function ruleOf(name, config) {
  const rules = config.endpoints;
  return rules.find((rule) => rule.template === name) ?? rules.find((rule) => rule.template === EVERYWHERE);
}

function toggle(name, config) {
  const on = ruleOf(name, config)?.enabled ?? true;
  const role = on ? 'operator' : 'approver';
  return html`<button class="switch" role="switch" aria-checked=${String(on)} aria-label=${t('endpoints.switch', { name })}
    ?disabled=${!may(role)} title=${may(role) ? nothing : t('order.role', { role: t(`role.${role}`) })}
    @click=${() => turn(name, !on)}><span class="switch-knob"></span>${t(on ? 'endpoints.on' : 'endpoints.off')}</button>`;
}

function turn(name, enabled) {
  ask({
    title: t(enabled ? 'endpoints.turn_on' : 'endpoints.turn_off', { name }),
    consequence: t(enabled ? 'endpoints.turn_on.consequence' : 'endpoints.turn_off.consequence'),
    confirm: t(enabled ? 'endpoints.turn_on.confirm' : 'endpoints.turn_off.confirm'),
    danger: !enabled,
    reasonNeeded: true,
    path: '/config',
    body: (reason) => ({ endpoints: rulesWith(name, enabled), reason }),
    seen: () => state.status?.config.revision,
    done: t(enabled ? 'endpoints.turn_on.done' : 'endpoints.turn_off.done', { name }),
  });
}

/** All rules in force, with this one changed: the API takes them whole. */
function rulesWith(name, enabled) {
  const { config } = state.status;
  const share = ruleOf(name, config)?.max_percentage ?? 100;
  return [...config.endpoints.filter((rule) => rule.template !== name), { template: name, enabled, max_percentage: share }];
}
