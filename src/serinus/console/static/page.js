/** The whole page, made of its sections: which of them, the state decides. */

import { curves, drawCurves } from './sections/curves.js';
import { drillSection } from './sections/drill.js';
import { endpoints } from './sections/endpoints.js';
import { nextSteps, receiptSection } from './sections/finished.js';
import { glance, problems } from './sections/glance.js';
import { header } from './sections/header.js';
import { history } from './sections/history.js';
import { judgement } from './sections/judgement.js';
import { login } from './sections/login.js';
import { approvalsGiven, rolloutSection } from './sections/rollout.js';
import { startSection } from './sections/start.js';
import { explainSection, fleetSection, reportsSection, trialsSection } from './sections/tools.js';
import { values } from './sections/values.js';
import { state } from './state.js';
import { html, nothing, render } from './vendor/lit-html/lit-html.js';
import { t } from './words.js';

const FINISHED = ['succeeded', 'rolled_back'];

/** @param {() => void} languageChanged */
export function show(languageChanged) {
  document.title = title();
  render(html`${header(languageChanged)} ${content()}`, document.getElementById('page'));
  drawCurves();
}

function title() {
  const users = state.session && state.status?.users.state;
  return users ? `${t(`tab.${users}`)} · serinus` : 'serinus';
}

function content() {
  if (state.session === undefined) return html`<main id="content" class="login" aria-busy="true"></main>`;
  if (state.session === null) return login();
  if (!state.status) return state.fault ? broken() : html`<main id="content" class="login" aria-busy="true"><p>${t('page.loading')}</p></main>`;
  return html`<main id="content" class=${state.connection === 'lost' ? 'stale' : ''}>
    ${state.connection === 'lost' ? lostNotice() : nothing} ${glance(state.status)} ${problems(state.status)}
    <div class="columns">
      <div class="main">${main(state.status)}</div>
      <div class="side">${history()} ${explainSection(state.status)} ${reportsSection()} ${trialsSection()} ${drillSection(state.status)} ${fleetSection(state.status)}</div>
    </div>
  </main>`;
}

function main(status) {
  const { rollout } = status;
  const running = rollout && !FINISHED.includes(rollout.phase);
  const ended = rollout && !running ? html`${rolloutSection(status)} ${receiptSection(rollout.receipt)}` : nothing;
  const idle = running ? nothing : html`${nextSteps(rollout?.phase ?? 'empty')} ${startSection()}`;
  return html`${running ? html`${rolloutSection(status)} ${approvalsGiven(rollout)} ${receiptSection(rollout.receipt)}` : nothing}
    ${ended} ${idle} ${curves()} ${rollout ? judgement(rollout) : nothing} ${endpoints(status)} ${values()}`;
}

function lostNotice() {
  return html`<div class="notice" role="alert"><p><strong>${t('connection.lost')}</strong> ${t(`lost.${kindOfFault()}`)}</p></div>`;
}

function kindOfFault() {
  return ['unreachable', 'store-unavailable'].includes(state.fault) ? state.fault : 'other';
}

/** Nothing is known: say what is the matter, and what to do. */
function broken() {
  const kind = kindOfFault();
  return html`<main id="content" class="login">
    <section class="card" aria-labelledby="broken">
      <h1 id="broken">${t(`broken.${kind}`)}</h1>
      <p>${t('broken.users')}</p>
      <ol>${[1, 2, 3].map((number) => html`<li>${t(`broken.${kind}.${number}`)}</li>`)}</ol>
      <p class="quiet">${t('broken.again')}</p>
    </section>
  </main>`;
}
