/** A person's word for a gate, with what the plan wants them to hand in. */

import { ask } from './dialog.js';
import { may, state } from './state.js';
import { html, nothing } from './vendor/lit-html/lit-html.js';
import { t } from './words.js';

const rollout = () => state.status?.rollout ?? null;

/**
 * @typedef {object} Wanted an approval as the plan describes it
 * @property {string} name
 * @property {string[]} checklist
 * @property {string} [attachment]
 * @property {boolean} business_impact
 * @property {boolean} four_eyes
 */

/** @returns {Wanted} */
function wanted(name) {
  const one = rollout();
  return one.definition.steps[one.step].approvals.find((each) => each.name === name) ?? { name, checklist: [] };
}

/** Why a word given at present would be refused; empty when it would not. */
export function approvalObstacle(name) {
  const { frozen_by: frozenBy, report, step_started_at: startedAt, started_by: startedBy } = rollout();
  if (!may('approver')) return t('order.role', { role: t('role.approver') });
  if (wanted(name).four_eyes && state.session.name === startedBy) return t('order.four_eyes', { by: startedBy });
  if (frozenBy !== null) return t('order.frozen');
  return !report || report.at < startedAt ? t('order.no_report') : '';
}

/** Ask for it, on the strength of the report that the page shows. */
export function approve(name) {
  const { step } = rollout();
  const gate = wanted(name);
  ask({
    title: t('order.approve.title', { gate: name }),
    consequence: t('order.approve.consequence', { gate: name, step: step + 1 }),
    confirm: t('order.approve.confirm'),
    reasonNeeded: true,
    path: '/rollout/approve',
    body: async (reason, form) => ({ gate: name, step, report_at: rollout()?.report?.at, reason, ...(await handedIn(form)) }),
    seen: () => rollout()?.standing,
    more: () => fields(gate),
    done: t('order.approve.done', { gate: name }),
  });
}

/** @param {Wanted} gate */
function fields(gate) {
  const items = gate.checklist.map((item) => html`<label class="check"><input type="checkbox" name="checked" value=${item} required /> <span>${item}</span></label>`);
  return html`${items.length ? html`<fieldset class="checklist"><legend>${t('order.approve.checklist')}</legend>${items}</fieldset>` : nothing}
    ${gate.attachment ? html`<label class="field"><span>${t('order.approve.attachment', { name: gate.attachment })}</span><input name="attachment" type="file" required /></label>` : nothing}
    ${gate.business_impact ? html`<label class="field"><span>${t('order.approve.impact')}</span><textarea name="business_impact" rows="2" maxlength="4000" required></textarea></label>` : nothing}`;
}

/** The file stays here: its name and its SHA-256 are what is kept of it. */
async function handedIn(form) {
  const file = form.get('attachment');
  const attachment = file instanceof File && file.name ? { name: file.name, digest: await digestOf(file) } : null;
  return { checked: form.getAll('checked'), attachment, business_impact: String(form.get('business_impact') ?? '') };
}

async function digestOf(file) {
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
