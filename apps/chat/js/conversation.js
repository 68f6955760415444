// What happens in the conversation: asking, stopping, copying, editing, following the answer, and saying aloud what comes.
const pending = () => $('#live .turn[data-status=pending]') || $('#chat .turn[data-status=pending]');
const messageOf = (node) => node.closest('.answer')?.dataset.message;
const questionOf = (node) => node.closest('.turn')?.dataset.question;

function ask(question) {
  if (state.busy) return false;
  state.busy = true;
  state.sent = question;
  state.sentWith = shown.template;
  notice('');
  follow = true;
  const { id = '', version = 0 } = shown.template || {};
  const documents = chosen.known ? chosen.documents.map((one) => one.id) : null;
  const space = chosen.spaceKnown ? $('#space').value : null;
  const uploaded = chosen.known && !chosen.documents.length ? justUploaded() : [];
  sendChosen();
  if (uploaded.length) chosen.known = false; // the answer says whether it was about what was just uploaded
  show('ask', { session: state.session, question, language: state.language, space, documents, uploaded, template: id, version });
  state.sentAs = shows;
  showExamples(null);
  return true;
}

function askAgain(message, content = '') {
  if (state.busy) return false;
  state.busy = true;
  state.sent = '';
  unsent = null;
  follow = true;
  show('again', { session: state.session, message, content, language: state.language });
  state.sentAs = shows;
  return true;
}

// Not while a question is on its way to a chat that has no name yet: the new chat that would be shown instead hides it.
function reopen() {
  if (state.session || !state.busy) show('open', { session: state.session, language: state.language });
}

function stopAnswer() { trigger('stop', { session: state.session }); }

actions.sample = (button) => ask(button.dataset.question);
actions.again = (button) => askAgain(questionOf(button));
actions.stop = stopAnswer;
actions.cite = (button) => {
  opener = button;
  panel.asked += 1;
  panel.wanted = {
    session: state.session, message: button.dataset.message, number: Number(button.dataset.number), asked: panel.asked,
  };
  openPassage();
};

// The text of an answer as it is read, its marks as [n].
function textOf(node) {
  const copy = node.cloneNode(true);
  $$('.cite', copy).forEach((cite) => cite.replaceWith(`[${cite.textContent}]`));
  $$('.code-copy', copy).forEach((button) => button.remove());
  const holder = h('div', { class: 'off-screen pre' }, copy);
  document.body.append(holder);
  const text = holder.innerText.trim();
  holder.remove();
  return text;
}

async function copied(button, text) {
  await copyText(text);
  button.classList.add('done');
  setTimeout(() => button.classList.remove('done'), 1500);
  toast(word('copied_done'));
}
actions.copy = (button) => copied(button, textOf($('[data-copy]', button.closest('.answer'))));
actions['copy-question'] = (button) => copied(button, $('.question', button.closest('.turn')).dataset.raw);

actions.edit = (button) => {
  const asked = button.closest('.asked');
  if (!asked || state.busy || $('.edit', asked)) return;
  const box = h('textarea', { 'aria-label': word('edit_question'), rows: '3', maxlength: $('#question').dataset.limit });
  box.value = $('.question', asked).dataset.raw;
  const id = questionOf(button);
  const end = () => { form.remove(); asked.classList.remove('editing'); $('[data-act=edit]', asked)?.focus(); };
  const send = () => { if (box.value.trim() && askAgain(id, box.value)) end(); };
  const form = h('div', { class: 'edit' }, box, h('p', {}, word('edit_cuts')),
    h('div', { class: 'box-foot' },
      h('button', { type: 'button', class: 'plain', click: end }, word('cancel')),
      h('button', { type: 'button', class: 'primary', click: send }, word('edit_send'))));
  box.addEventListener('keydown', (event) => {
    if (isComposing(event)) return;
    if (event.key === 'Enter' && !event.shiftKey) { event.preventDefault(); send(); }
    if (event.key === 'Escape') { event.stopPropagation(); end(); }
  });
  asked.classList.add('editing');
  asked.append(form);
  box.focus();
};

// A screen reader hears whole sentences as they are complete, not every piece from the start.
let spoken = 0;
function sayNew(text) {
  const end = Math.max(...['. ', '? ', '! ', '다.', '\n'].map((mark) => text.lastIndexOf(mark) + mark.length));
  if (end > spoken) { announce(text.slice(spoken, end)); spoken = end; }
}

document.addEventListener('llmflow:live', () => {
  const turn = $('#live .turn');
  if (!turn) { holdPlace(); settle(); return; }
  state.busy = true;
  heard = true;
  const answer = $('.prose-text', turn);
  if (answer) sayNew(answer.innerText);
  else { spoken = 0; announce(word('thinking')); }
  decorate($('#live'));
  toEnd();
});


// A value may be late: of a conversation that the reader has left, or of a new one that was given up before it had a name.
const isWanted = (root) => root.dataset.session === state.session || root.dataset.for === (state.session || `new ${shows}`);
const narrowedTo = (root) => ({ documents: JSON.parse(root.dataset.documents || '[]'), space: root.dataset.space || 'all' });
let shownSession = null;
watch('value', () => {
  const root = $('[data-session]', element);
  if (!root) return;
  const arrived = root.dataset.session;
  if (!isWanted(root)) { loadSessions(); lookLater(); return; }
  if (arrived !== state.session) { state.session = arrived; setAddress(arrived, false); }
  if (arrived !== shownSession) { shownSession = arrived; follow = true; showTitle(); }
  chooseAsBefore(narrowedTo(root));
  decorate(element);
  keepReasons();
  requestAnimationFrame(letGo);
  settle();
  loadSessions();
  lookAgain();
});

// The log and the answer being written are two parts, which change one after the other: look when either has.
let heard = false;
function settle() {
  state.busy = Boolean(pending());
  if (state.busy || !heard) return;
  heard = false;
  const last = $$('.turn', element).at(-1);
  const rest = (last && $('.prose-text, .failure', last)?.innerText) || '';
  announce(`${rest.slice(spoken)} ${word('answered')}`);
  spoken = 0;
}

// An answer that another process writes is looked at again until it is there.
let lookTimer = 0;
function lookLater() {
  clearTimeout(lookTimer);
  lookTimer = setTimeout(reopen, 3000);
}
function lookAgain() {
  clearTimeout(lookTimer);
  if ($('#chat .turn[data-status=pending]')) lookLater();
}

document.addEventListener('llmflow:notice', () => {
  const refused = $('#notice .notice[data-refused]');
  if (!refused) return;
  notAsked();
});

// The question goes back into the input, and what it was to be narrowed to stays chosen.
function notAsked() {
  if (!pending()) state.busy = false;
  const box = $('#question');
  if (state.sent && !box.value) { box.value = state.sent; grow(box); showExamples(state.sentWith); }
  state.sent = '';
  takeBackChosen();
}

// Where the server, or a proxy before it, turns a request away, Gradio shows that it did and tells the page nothing.
const plainFetch = window.fetch;
window.fetch = async (...sent) => {
  const isQuestion = state.busy && state.sentAs && turnIn(sent) === state.sentAs;
  try {
    const response = await plainFetch(...sent);
    if (isQuestion && !response.ok) { notAsked(); notice(word('not_sent')); }
    return response;
  } catch (error) {
    if (isQuestion) { notAsked(); if (!lost) connectionLost(); }
    throw error;
  }
};
function turnIn([address, options]) {
  if (!String(address?.url || address).includes('/queue/join')) return 0;
  try { return JSON.parse(options.body).event_data.turn; } catch { return 0; }
}

// Times in the reader's own zone, and a button on every piece of code.
function decorate(root) {
  for (const time of $$('time[datetime]', root)) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) {
      time.textContent = moment.toLocaleString(state.language === 'ko' ? 'ko-KR' : 'en-GB', { dateStyle: 'medium', timeStyle: 'short' });
    }
  }
  for (const code of $$('pre', root)) {
    if (code.parentElement.classList.contains('code-box')) continue;
    const box = h('div', { class: 'code-box' });
    code.replaceWith(box);
    box.append(code, h('button', { type: 'button', class: 'code-copy', click: (event) => copied(event.currentTarget, code.innerText) }, word('copy_code')));
    code.tabIndex = 0;
  }
}

// The panel takes the keyboard when it opens and gives it back when it closes: from nobody who went elsewhere meanwhile.
// Passages may come in any order, and after the panel was closed: only the one clicked last is wanted.
let opener = null;
const panel = { asked: 0, wanted: null, shown: 0 };
function openPassage() { trigger('cite', { ...panel.wanted, language: state.language }); }
function closePanel() {
  panel.wanted = null;
  if (!$('#panel .passage, #panel .notice')) return;
  const from = $('#panel');
  document.dispatchEvent(new CustomEvent('llmflow:close-panel'));
  focusBack(opener, from);
}
actions['close-panel'] = closePanel;
function closePanelOnPhone() { if (matchMedia('(max-width: 760px)').matches) closePanel(); } // it lies over the input's conversation
document.addEventListener('llmflow:panel', () => {
  const came = Number($('#panel [data-asked]')?.dataset.asked);
  if (!came) return;
  if (came !== panel.wanted?.asked) {
    if (!panel.wanted) document.dispatchEvent(new CustomEvent('llmflow:close-panel'));
    else if (panel.shown === panel.wanted.asked) openPassage(); // it was there, and an older one has come over it
    return;
  }
  panel.shown = came;
  const passage = $('#panel .passage');
  if (!passage) return;
  const picture = $('.page-picture img', passage);
  picture?.addEventListener('error', () => picture.closest('figure').remove());
  if ([null, document.body, opener].includes(document.activeElement)) passage.focus({ preventScroll: true });
  const quoted = $('.quoted-text mark, .quoted-row', passage) || passage;
  quoted.scrollIntoView({ block: 'nearest' });
  const place = $('#panel').scrollTop;
  picture?.addEventListener('load', () => { // it pushes the quotation down, before a reader who has not looked elsewhere
    if ($('#panel').scrollTop === place) quoted.scrollIntoView({ block: 'nearest' });
  });
});

// A lost connection is said; when it is back, the session is read anew. An answer goes on without its reader.
let lost = false;
function connectionLost() { lost = true; notice(word('offline')); watchForServer(); }
async function watchForServer() {
  while (lost) {
    await new Promise((resolve) => setTimeout(resolve, 2000));
    try {
      const alive = await fetch('/healthz', { cache: 'no-store' });
      if (!alive.ok && alive.status !== 503) continue;
      lost = false;
      if (!pending() && !state.busy) { notice(''); loadSessions(); }
      else reload(); // the stream that showed the answer is gone with the connection
    } catch { /* still away */ }
  }
}
function reload() {
  try { sessionStorage.setItem('llmflow-draft', $('#question').value); } catch { /* private window */ }
  location.reload();
}
function takeDraft() {
  try {
    const draft = sessionStorage.getItem('llmflow-draft');
    sessionStorage.removeItem('llmflow-draft');
    if (draft) { $('#question').value = draft; grow($('#question')); }
  } catch { /* private window */ }
}
addEventListener('offline', () => { if (!lost) connectionLost(); });

// A server that went away ends the stream without a word, and so does a proxy: look after an answer that stands still.
let cameLast = 0;
document.addEventListener('llmflow:live', () => { cameLast = Date.now(); });
setInterval(async () => {
  if (!pending() || lost || Date.now() - cameLast < 8000) return;
  cameLast = Date.now();
  try { await fetch('/healthz', { cache: 'no-store' }); } catch { if (!lost) connectionLost(); return; }
  reopen();
}, 4000);
