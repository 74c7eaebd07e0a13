/** Where the page begins: the reader's language, then who they are, then what there is to see. */

import { session } from './api.js';
import { start } from './live.js';
import { show } from './page.js';
import { onChange, state, update } from './state.js';
import { preferredLanguage, useLanguage } from './words.js';

const AGAIN_MS = 2_000;

onChange(() => show(() => state.session && start()));
await useLanguage(preferredLanguage());
await begin();

/** As long as nobody can say who is there, ask again. */
async function begin() {
  try {
    const found = await session.read();
    update({ session: found });
    if (found) start();
  } catch (problem) {
    update({ session: state.session ?? {}, connection: 'lost', fault: problem.kind });
    setTimeout(begin, AGAIN_MS);
  }
}
