// What every part uses. Runs once, as js_on_load of the conversation: `element` is its root, `trigger` sends an event to Python.
const settings = window.llmflowSettings;
const actions = {}; // name in data-act -> what a click does
const state = { language: settings.language, session: '', me: null, busy: false };
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

function recall(name) { try { return localStorage.getItem(`llmflow-${name}`); } catch { return null; } }
function remember(name, value) { try { localStorage.setItem(`llmflow-${name}`, value); } catch { /* private window */ } }

// What changes the conversation that is shown, numbered: events that are sent at once may arrive in any order.
let shows = 0;
function show(name, detail) { shows += 1; trigger(name, { ...detail, turn: shows }); }

// The word in the page's language, {slots} filled.
function word(name, slots = {}) {
  const text = window.llmflowWords[state.language][name] ?? name;
  return Object.entries(slots).reduce((out, [slot, value]) => out.replaceAll(`{${slot}}`, value), text);
}

// An element from a tag, attributes (functions become listeners) and children; strings are always text, never HTML.
function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}
const icon = (name) => h('span', { class: `icon icon-${name}`, 'aria-hidden': 'true' });
const iconButton = (name, label, click, more = {}) =>
  h('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, click, ...more }, icon(name));

// Ask the HTTP API. Throws an Error whose message is fit to be shown; `status` tells why.
const PATIENCE_MS = 60000; // what hangs must not keep what waits for it for good
async function api(path, { method = 'GET', body } = {}) {
  let response, text;
  try {
    response = await fetch(path, {
      method, credentials: 'same-origin', cache: 'no-store',
      headers: { Accept: 'application/json', 'Accept-Language': state.language, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE_MS),
    });
    text = await response.text();
  } catch { throw Object.assign(new Error(word('offline')), { status: 0 }); }
  let found = null;
  try { found = text ? JSON.parse(text) : null; } catch { /* a proxy's page */ }
  if (response.ok) return found;
  if (response.status === 401) toSignIn();
  throw Object.assign(new Error(found?.error || word('failed')), { status: response.status });
}

// Of several requests for the same thing the last one counts, in whatever order they are answered: all get its answer.
function lastOf() {
  let last = null;
  return async (path) => {
    last = api(path);
    for (;;) {
      const asked = last;
      try {
        const found = await asked;
        if (asked === last) return found;
      } catch (error) { if (asked === last) throw error; }
    }
  };
}

// What is being sent is not sent again, however often it is pressed.
async function once(node, send) {
  if (node.dataset.sent) return;
  node.dataset.sent = 'yes';
  try { await send(); } finally { delete node.dataset.sent; }
}
function submits(form, send) { form.addEventListener('submit', (event) => { event.preventDefault(); once(form, send); }); }

function toSignIn() {
  const here = location.pathname + location.search;
  location.assign(`/sign-in?next=${encodeURIComponent(here)}`);
}

let toastTimer = 0;
function toast(text) {
  const box = $('#toast');
  box.textContent = text;
  box.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { box.hidden = true; }, 4000);
}
const failed = (error) => toast(error.message || word('failed'));
const announce = (text) => { $('#announce').textContent = text; };

// The part's own property: what Gradio shows it also has to change.
function notice(text) {
  const shown = text ? h('p', { class: 'notice', role: 'alert' }, text).outerHTML : '';
  document.dispatchEvent(new CustomEvent('llmflow:say', { detail: shown }));
}

async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) { await navigator.clipboard.writeText(text); return; }
  const area = h('textarea', { class: 'off-screen' }); // http:// inside a closed network is no secure context
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

const isTyping = (node) => Boolean(node && (node.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(node.tagName)));
const isComposing = (event) => event.isComposing || event.keyCode === 229; // a Hangul syllable is being written

// Put the words of the chosen language into the parts that stay.
function speak(root = document) {
  for (const node of $$('[data-word]', root)) node.textContent = word(node.dataset.word);
  for (const node of $$('[data-word-label]', root)) {
    node.setAttribute('aria-label', word(node.dataset.wordLabel));
    if (node.tagName === 'BUTTON') node.title = word(node.dataset.wordLabel);
  }
  for (const node of $$('[data-word-placeholder]', root)) node.placeholder = word(node.dataset.wordPlaceholder);
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-act]');
  const act = button && actions[button.dataset.act];
  if (!act) return;
  if (button.tagName === 'A') event.preventDefault();
  act(button, event);
});
