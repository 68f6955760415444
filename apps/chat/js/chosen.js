// The documents that questions are narrowed to: a chip each over the input, with a button that takes it away.
// `known` is false while a conversation is being opened: a question asked meanwhile is looked for where its last one was.
// So is `spaceKnown`, of where questions are looked for: everywhere, in one's own files, or in what is shared.
const chosen = { documents: [], known: true, spaceKnown: true };
let unsent = null; // what the address kept of the choice before it went with a question that may be refused

function askAbout(id, title) {
  if (!chosen.documents.some((one) => one.id === id)) chosen.documents.push({ id, title });
  setSpace('all'); // the document is what was chosen last
  keepSpace();
  keepChosen();
  announce(word('chosen_set', { title }));
  const dialog = $('dialog.box[open]');
  if (!dialog) { closePanelOnPhone(); $('#question').focus(); return; }
  dialog.close();
  $('#question').focus();
}

function showChosen() {
  const box = $('#chosen');
  if (!box) return;
  box.hidden = !chosen.documents.length;
  refill(box, ...chosen.documents.map((one) => h('span', { class: one.gone ? 'chosen-one gone' : 'chosen-one', 'data-document': one.id },
    h('span', { class: 'chosen-title', title: labelOf(one) }, labelOf(one)),
    iconButton('close', word('chosen_drop', { title: titleOf(one) }), () => dropChosen(one)))));
}

const titleOf = (one) => one.title || word('chosen_untitled');
const labelOf = (one) => word(one.gone ? 'chosen_gone' : 'chosen_one', { title: titleOf(one) });

function dropChosen(one) {
  const place = chosen.documents.indexOf(one);
  if (place < 0) return;
  chosen.documents.splice(place, 1);
  keepChosen();
  announce(word(chosen.documents.length ? 'chosen_dropped' : 'chosen_none', { title: titleOf(one) }));
  ($$('#chosen button')[place] || $$('#chosen button').at(-1) || $('#question')).focus();
}

// What was chosen since the last question is kept with the address, so that reloading and going back bring it again.
function keepChosen() {
  chosen.known = true;
  history.replaceState({ ...history.state, chosen: chosen.documents.map((one) => one.id) }, '');
  showChosen();
}

function keepSpace() {
  chosen.spaceKnown = true;
  history.replaceState({ ...history.state, space: $('#space').value }, '');
}

function setSpace(space) {
  const box = $('#space');
  box.value = space;
  if (!box.value) box.value = 'all';
  box.classList.toggle('narrow', box.value !== 'all');
}

// The question keeps from here on what it is narrowed to; what the page does not know yet stays with the address.
function sendChosen() {
  const { chosen: documents, space, ...rest } = history.state || {};
  unsent = { known: chosen.known, documents, space };
  if (!chosen.known && documents) rest.chosen = documents;
  if (!chosen.spaceKnown && space) rest.space = space;
  history.replaceState(rest, '');
}

// The question was refused: its choice is again one that was not sent, unless another was made since.
function takeBackChosen() {
  if (!unsent) return;
  const { known, documents, space } = unsent;
  unsent = null;
  chosen.known ||= known;
  history.replaceState({ ...(documents && { chosen: documents }), ...(space && { space }), ...history.state }, '');
}

// Another conversation is opened: nothing is known of its documents before it is there, and of a new one at once.
function leaveChosen(session) {
  Object.assign(chosen, { documents: [], known: false, spaceKnown: false });
  unsent = null;
  files.fresh = [];
  setSpace('all');
  if (!session) { chooseAsBefore({ documents: [], space: 'all' }); return; }
  chooseAsBefore({});
}

// A conversation goes on in what was chosen at its address, else where its last question was looked for, once that is known.
function chooseAsBefore(last) {
  const kept = history.state || {};
  const documents = Array.isArray(kept.chosen) ? kept.chosen : last.documents;
  const space = kept.space || last.space;
  if (!chosen.known && documents) {
    chosen.documents = documents.map((id) => ({ id: String(id), title: '' }));
    chosen.known = true;
  }
  if (!chosen.spaceKnown && space) {
    setSpace(space);
    chosen.spaceKnown = true;
  }
  showChosen();
  lookUpChosen();
}

// One that was deleted, or may not be read any more, stays: taking it away unasked would widen the search to everything.
async function lookUpChosen() {
  await Promise.all(chosen.documents.map(async (one) => {
    const before = labelOf(one);
    try {
      const found = await api(`/api/documents/${encodeURIComponent(one.id)}`);
      one.gone = found.space === 'other';
      one.title ||= one.gone ? '' : found.title || found.name;
    } catch (error) {
      if (error.status !== 404 && error.status !== 403) return; // nothing was said of the document
      one.gone = true;
    }
    if (labelOf(one) === before || !chosen.documents.includes(one)) return;
    showChosen();
    if (one.gone) announce(labelOf(one));
  }));
}

actions['ask-document'] = (button) => askAbout(button.dataset.document, button.dataset.title);
