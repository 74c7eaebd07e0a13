/** The way in: a token, once, for a session that no script can read. */

import { session } from '../api.js';
import { explain } from '../dialog.js';
import { start } from '../live.js';
import { refresh, state, update } from '../state.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { t } from '../words.js';

const REFUSED = { 401: 'login.refused', 429: 'login.too_often' };

let problem = '';
let busy = false;

export function login() {
  return html`<main id="content" class="login">
    <section class="card" aria-labelledby="login">
      <h1 id="login">${t('login.title')}</h1>
      <p class="quiet">${t('login.lead')}</p>
      <form @submit=${open}>
        <input name="username" value="serinus" autocomplete="username" hidden />
        <label class="field"><span>${t('login.token')}</span>
          <input name="token" type="password" required maxlength="1024" autocomplete="current-password" autofocus />
        </label>
        ${told() ? html`<p class="problem" role="alert">${told()}</p>` : nothing}
        <button class="button primary" ?disabled=${busy}>${t('login.button')}</button>
      </form>
      <details><summary>${t('login.none')}</summary><p>${t('login.make')}</p><pre><code>serinus token create NAME --role operator</code></pre></details>
    </section>
  </main>`;
}

function told() {
  return problem || (state.ended && !busy ? t('problem.unauthenticated') : '');
}

async function open(event) {
  event.preventDefault();
  const token = new FormData(event.target).get('token');
  busy = true;
  problem = '';
  refresh();
  try {
    update({ session: await session.open(token) });
    start();
  } catch (refusal) {
    problem = REFUSED[refusal.status] ? t(REFUSED[refusal.status]) : explain(refusal);
  }
  busy = false;
  refresh();
}
