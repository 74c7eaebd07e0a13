/** Where one is, whether what one sees is live, and how one wants to see it. */

import { session } from '../api.js';
import { time } from '../figures.js';
import { stop } from '../live.js';
import { refresh, state } from '../state.js';
import { chooseTheme, THEMES, theme } from '../theme.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { language, LANGUAGES, t, useLanguage } from '../words.js';

/** @param {() => void} languageChanged what the API says is asked for again */
export function header(languageChanged) {
  return html`<a class="skip" href="#content">${t('header.skip')}</a>
    <header class="top">
      <span class="brand"><img src="console/icon.svg" alt="" width="28" height="28" /> serinus</span>
      ${state.session?.name || state.fault ? connection() : nothing}
      <div class="choices">
        <label><span class="unseen">${t('header.language')}</span>
          <select @change=${(event) => change(event.target.value, languageChanged)}>
            ${Object.entries(LANGUAGES).map(([tag, name]) => html`<option value=${tag} lang=${tag} ?selected=${tag === language()}>${name}</option>`)}
          </select></label>
        <label><span class="unseen">${t('header.theme')}</span>
          <select @change=${(event) => chooseTheme(event.target.value)}>
            ${THEMES.map((name) => html`<option value=${name} ?selected=${name === theme()}>${t(`theme.${name}`)}</option>`)}
          </select></label>
        ${state.session?.name ? html`<span class="who">${state.session.name} <span class="quiet">${t(`role.${state.session.role}`)}</span></span>
          <button class="button" @click=${leave}>${t('header.leave')}</button>` : nothing}
      </div>
    </header>`;
}

function connection() {
  const lost = state.connection === 'lost';
  return html`<p class="connection" data-state=${state.connection} role="status">
    <span class="lamp" aria-hidden="true"></span>${t(`connection.${state.connection}`)}${lost && state.heardAt ? ` ${t('connection.since', { time: time(state.heardAt) })}` : ''}
  </p>`;
}

async function change(tag, languageChanged) {
  await useLanguage(tag);
  refresh();
  languageChanged();
}

async function leave() {
  await session.close().catch(() => undefined); // gone or not: this page forgets it
  stop();
}
