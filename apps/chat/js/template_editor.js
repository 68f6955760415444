// Own templates: made, changed, shared where the role allows it, deleted.
async function manageTemplates() {
  const list = h('div', {});
  const dialog = openDialog(word('templates'), list, { id: 'template-box', wide: true }); // at once: later it would open over something else
  try { await loadTemplates(); } catch (error) { dialog.close(); failed(error); return; }
  listTemplates(list);
}

function listTemplates(list) {
  const rows = templates.items.map((one) => {
    const { own } = one;
    return h('li', { class: 'item' },
      h('button', { type: 'button', class: 'item-main', click: () => { list.closest('dialog').close(); takeTemplate(one); } },
        h('span', { class: 'template-name' }, `/${one.name}`), h('span', { class: 'template-title' }, one.title)),
      one.shared ? h('span', { class: 'tag' }, word('template_shared_mark')) : null,
      h('span', { class: 'fine' }, word('template_version', { n: one.version })),
      own ? iconButton('edit', `${word('template_edit')}: ${one.title}`, () => editTemplate(list, one)) : null,
      own ? iconButton('delete', `${word('delete')}: ${one.title}`, () => deleteTemplate(list, one)) : null);
  });
  list.replaceChildren(
    h('button', { type: 'button', class: 'primary', click: () => editTemplate(list, null) }, word('template_new')),
    rows.length ? h('ul', { class: 'items' }, rows) : h('p', { class: 'side-none' }, word('templates_none')));
}

async function deleteTemplate(list, one) {
  if (!await confirmed(word('template_delete_ask'), word('template_delete_more', { title: one.title }), word('delete'))) return;
  try {
    await api(`/api/templates/${encodeURIComponent(one.id)}`, { method: 'DELETE' });
    await loadTemplates();
    toast(word('deleted'));
  } catch (error) { failed(error); }
  if ($('form', list)) return; // another one is being written
  listTemplates(list);
  focusBack($('button', list));
}

function field(label, input, hint = '') {
  input.id = `field-${input.name || Math.random().toString(36).slice(2)}`;
  const more = hint ? h('p', { class: 'fine', id: `${input.id}-hint` }, hint) : null;
  if (more) input.setAttribute('aria-describedby', more.id);
  return h('div', { class: 'field' }, h('label', { for: input.id }, label), input, more);
}

function editTemplate(list, one) {
  const name = h('input', { name: 'name', required: true, maxlength: '64', autocomplete: 'off' });
  const title = h('input', { name: 'title', required: true, maxlength: '200', autocomplete: 'off' });
  const text = h('textarea', { name: 'text', required: true, rows: '5', maxlength: '4000' });
  const shared = h('input', { type: 'checkbox', name: 'shared', id: 'field-shared' });
  [name.value, title.value, text.value, shared.checked] = [one?.name || '', one?.title || '', one?.text || '', Boolean(one?.shared)];
  const pairs = h('div', { class: 'pairs' });
  const addPair = (question = '', answer = '') => {
    const n = pairs.children.length + 1;
    const pair = h('div', { class: 'pair' },
      h('textarea', { rows: '2', maxlength: '2000', 'aria-label': word('template_example_question', { n }), placeholder: word('template_example_question', { n }) }),
      h('textarea', { rows: '2', maxlength: '4000', 'aria-label': word('template_example_answer', { n }), placeholder: word('template_example_answer', { n }) }),
      iconButton('delete', word('template_example_remove', { n }), () => { pair.remove(); }));
    [pair.children[0].value, pair.children[1].value] = [question, answer];
    pairs.append(pair);
  };
  (one?.examples || []).forEach(({ question, answer }) => addPair(question, answer));
  const problem = h('p', { class: 'notice', role: 'alert' });
  const maySh = state.me?.permissions?.includes('templates.share');
  const form = h('form', { class: 'template-form' },
    field(word('template_name'), name, word('template_name_hint')), field(word('template_title'), title),
    field(word('template_text'), text, word('template_text_hint')),
    h('fieldset', {}, h('legend', {}, word('template_examples')), h('p', { class: 'fine' }, word('template_examples_hint')), pairs,
      h('button', { type: 'button', class: 'plain', click: () => addPair() }, word('template_example_add'))),
    maySh ? h('label', { class: 'choice', for: 'field-shared' }, shared, h('span', {}, word('template_shared'))) : null,
    problem,
    h('div', { class: 'box-foot' },
      h('button', { type: 'button', class: 'plain', click: () => listTemplates(list) }, word('cancel')),
      h('button', { type: 'submit', class: 'primary' }, word('save'))));
  submits(form, async () => {
    const examples = [...pairs.children].map((pair) => ({ question: pair.children[0].value.trim(), answer: pair.children[1].value.trim() }))
      .filter(({ question, answer }) => question && answer);
    const body = { name: name.value.trim().normalize('NFC'), title: title.value.trim(), text: text.value.trim(), examples, shared: shared.checked };
    try {
      await api(one ? `/api/templates/${encodeURIComponent(one.id)}` : '/api/templates', { method: one ? 'PUT' : 'POST', body });
      await loadTemplates();
      toast(word('saved'));
      if (!form.isConnected) return; // left before it was kept
      listTemplates(list);
      focusBack($('button', list));
    } catch (error) { problem.textContent = error.message; }
  });
  list.replaceChildren(form);
  name.focus();
}
actions.templates = manageTemplates;
