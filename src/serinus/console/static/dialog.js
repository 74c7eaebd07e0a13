/** One question at a time: what is about to happen, why, and whether the page that the person saw is still true. */

import { order } from './api.js';
import { readStatus } from './live.js';
import { onChange, refresh, state } from './state.js';
import { html, nothing, render } from './vendor/lit-html/lit-html.js';
import { t } from './words.js';

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} consequence what happens when it is confirmed
 * @property {string} confirm the button's words
 * @property {boolean} [danger]
 * @property {boolean} [reasonNeeded]
 * @property {string} path of the admin API
 * @property {(reason: string, form: FormData) => object | Promise<object>} body
 * @property {() => string | number | undefined} [seen] what the order is given for, as the page knows it
 * @property {() => unknown} [more] further fields
 * @property {string} done what is said when it is carried out
 */

/** @type {(Question & {standing?: string | number, problem: string, busy: boolean}) | null} */
let asked = null;

/** @param {Question} question */
export function ask(question) {
  asked = { ...question, standing: question.seen?.(), problem: '', busy: false };
  show();
  const dialog = document.querySelector('#dialogs dialog');
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  dialog?.querySelector('textarea')?.focus();
}

/** Tell those who listen to the page. */
export function say(text) {
  const region = document.getElementById('said');
  if (region) region.textContent = text;
}

function hasMovedOn() {
  return asked?.seen !== undefined && asked.seen() !== asked.standing;
}

function lookAgain() {
  if (asked) asked = { ...asked, standing: asked.seen?.(), problem: '' };
  show();
}

async function confirm(event) {
  event.preventDefault();
  if (!asked || asked.busy || hasMovedOn()) return;
  const question = asked;
  const form = new FormData(event.target);
  asked = { ...question, busy: true, problem: '' };
  show();
  try {
    const body = await question.body(String(form.get('reason') ?? '').trim(), form);
    await order(question.path, body, { seen: question.standing });
    close();
    say(question.done);
  } catch (problem) {
    asked = { ...question, busy: false, problem: explain(problem) };
    show();
  }
  await readStatus();
}

/** A refusal in the reader's language, with the service's own words where there are any. */
export function explain(problem) {
  const known = t(`problem.${problem.kind}`);
  const title = known.startsWith('problem.') ? t('problem.other') : known;
  return problem.message && problem.kind !== 'stale-revision' ? `${title} ${problem.message}` : title;
}

function close() {
  document.querySelector('#dialogs dialog')?.close();
}

function forget() {
  asked = null;
  refresh();
}

function show() {
  const root = document.getElementById('dialogs');
  if (root) render(view(), root);
}

function view() {
  const question = asked;
  return html`<dialog class="ask" aria-labelledby="asked" @close=${forget}>
    ${question ? content(question) : nothing}
  </dialog>`;
}

function content(question) {
  const moved = hasMovedOn();
  return html`<form @submit=${confirm}>
    <h2 id="asked">${question.title}</h2>
    <p>${question.consequence}</p>
    ${moved ? html`<div class="notice" role="alert"><p>${t('ask.moved')}</p><button type="button" class="button" @click=${lookAgain}>${t('ask.again')}</button></div>` : nothing}
    ${question.more?.() ?? nothing}
    <label class="field">
      <span>${t(question.reasonNeeded ? 'ask.reason' : 'ask.reason_optional')}</span>
      <textarea name="reason" rows="2" maxlength="2000" ?required=${question.reasonNeeded ?? false}></textarea>
    </label>
    ${state.session ? html`<p class="quiet">${t('ask.as', { name: state.session.name, role: t(`role.${state.session.role}`) })}</p>` : nothing}
    ${question.problem ? html`<p class="problem" role="alert">${question.problem}</p>` : nothing}
    <div class="buttons">
      <button type="button" class="button" @click=${close}>${t('ask.cancel')}</button>
      <button class="button ${question.danger ? 'danger' : 'primary'}" ?disabled=${moved || question.busy}>${question.confirm}</button>
    </div>
  </form>`;
}

onChange(() => {
  if (asked) show();
});
