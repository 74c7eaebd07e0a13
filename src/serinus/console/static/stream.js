/** Server-sent events read with `fetch`: every kind of event, the answer's status, and silence are seen. */

import { address, problemOf } from './api.js';

const SILENCE_MS = 25_000; // the server sends a comment every 15 s

/**
 * Follow the events after number `after` until the stream ends or breaks.
 * @param {number} after
 * @param {{opened: () => void, happened: (event: object) => void, signal: AbortSignal}} listener
 */
export async function follow(after, { opened, happened, signal }) {
  const silence = new AbortController();
  let watch = setTimeout(() => silence.abort(), SILENCE_MS);
  const response = await fetch(address('/events/stream', { after }), {
    headers: { Accept: 'text/event-stream' },
    signal: AbortSignal.any([signal, silence.signal]),
  });
  if (!response.ok) throw await problemOf(response);
  opened();
  try {
    let rest = '';
    for await (const text of readTexts(response.body)) {
      clearTimeout(watch);
      watch = setTimeout(() => silence.abort(), SILENCE_MS);
      const messages = (rest + text).split(/\r?\n\r?\n/);
      rest = messages.pop() ?? '';
      messages.map(contentOf).filter(Boolean).forEach((content) => happened(JSON.parse(content)));
    }
  } finally {
    clearTimeout(watch);
  }
}

async function* readTexts(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** The lines of a message that carry its content. */
function contentOf(message) {
  const lines = message.split(/\r?\n/).filter((line) => line.startsWith('data:'));
  return lines.map((line) => line.slice(5).trimStart()).join('\n');
}
