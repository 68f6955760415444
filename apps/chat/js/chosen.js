// The documents that questions are narrowed to: a chip each over the input, with a button that takes it away.
// `known` is false while a conversation is being opened: a question asked meanwhile is looked for where its last one was.
const chosen = { documents: [], known: true };

function askAbout(id, title) {
  if (!chosen.documents.some((one) => one.id === id)) chosen.documents.push({ id, title });
  if ($('#space').value !== 'all') { $('#space').value = 'all'; $('#space').classList.remove('narrow'); } // the document is what was chosen last
  keepChosen();
  announce(word('chosen_set', { title }));
  const dialog = $('dialog.box[open]');
  if (!dialog) { closePanelOnPhone(); $('#question').focus(); return; }
  dialog.addEventListener('close', () => $('#question').focus()); // after the dialog has given the focus back
  dialog.close();
}

function showChosen() {
  const box = $('#chosen');
  if (!box) return;
  box.hidden = !chosen.documents.length;
  box.replaceChildren(...chosen.documents.map((one) => h('span', { class: one.gone ? 'chosen-one gone' : 'chosen-one', 'data-document': one.id },
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
  history.replaceState({ chosen: chosen.documents.map((one) => one.id) }, '');
  showChosen();
}

// Another conversation is opened: nothing is known of its documents before it is there, and of a new one at once.
function leaveChosen(session) {
  chosen.documents = [];
  chosen.known = false;
  files.fresh = [];
  if (session) showChosen();
  else chooseAsBefore([]);
}

// A conversation goes on in what was chosen at its address, else in the documents of its last question.
function chooseAsBefore(documents) {
  if (!chosen.known) {
    const kept = history.state?.chosen;
    chosen.documents = (Array.isArray(kept) ? kept : documents).map((id) => ({ id: String(id), title: '' }));
    chosen.known = true;
    showChosen();
  }
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
