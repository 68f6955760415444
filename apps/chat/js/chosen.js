// The documents that questions are narrowed to: a chip each over the input, with a button that takes it away.
const chosen = { documents: [] };

function askAbout(id, title) {
  if (!chosen.documents.some((one) => one.id === id)) chosen.documents.push({ id, title });
  if ($('#space').value !== 'all') { $('#space').value = 'all'; $('#space').classList.remove('narrow'); } // the document is what was chosen last
  showChosen();
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
  box.replaceChildren(...chosen.documents.map(({ id, title }) => h('span', { class: 'chosen-one', 'data-document': id },
    h('span', { class: 'chosen-title', title }, word('chosen_one', { title })),
    iconButton('close', word('chosen_drop', { title }), () => dropChosen(id, title)))));
}

function dropChosen(id, title) {
  const place = chosen.documents.findIndex((one) => one.id === id);
  if (place < 0) return;
  chosen.documents.splice(place, 1);
  showChosen();
  announce(word(chosen.documents.length ? 'chosen_dropped' : 'chosen_none', { title }));
  ($$('#chosen button')[place] || $$('#chosen button').at(-1) || $('#question')).focus();
}

function dropAllChosen() {
  if (!chosen.documents.length) return;
  chosen.documents = [];
  showChosen();
}

actions['ask-document'] = (button) => askAbout(button.dataset.document, button.dataset.title);
