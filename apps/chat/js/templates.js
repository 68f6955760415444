// Templates: "/" in an empty input opens the list, typing filters it, Enter takes one; its variables are asked for.
const templates = { items: [], loaded: 0, shown: [], at: -1, coming: 0, entered: '' };

const lastTemplates = lastOf();
async function loadTemplates() {
  const found = await lastTemplates('/api/templates');
  templates.items = found.items;
  templates.loaded = Date.now();
}

const commandIn = (box) => /^\/(\S*)$/.exec(box.value)?.[1];

async function suggestTemplates(box) {
  templates.entered = '';
  if (commandIn(box) === undefined) { closeTemplates(); return; }
  if (Date.now() - templates.loaded > 30000) {
    templates.coming += 1;
    try { await loadTemplates(); } catch (error) { failed(error); return; } finally { templates.coming -= 1; }
    if (templates.coming) return; // the person has typed on: once is enough
  }
  const typed = commandIn(box);
  if (typed === undefined) return;
  const part = typed.toLowerCase().normalize('NFC');
  const rank = (one) => (one.name.startsWith(part) ? 0 : one.name.includes(part) ? 1 : one.title.toLowerCase().includes(part) ? 2 : 3);
  templates.shown = templates.items.filter((one) => rank(one) < 3).sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name)).slice(0, 50);
  templates.at = templates.shown.length ? 0 : -1;
  const entered = templates.entered === box.value;
  templates.entered = '';
  if (entered && templates.shown.length) takeTemplate(templates.shown[0]);
  else showTemplates();
}

function showTemplates() {
  const box = $('#templates');
  const list = h('ul', { role: 'listbox', id: 'template-list', 'aria-label': word('templates_list') }, templates.shown.map((one, index) =>
    h('li', { role: 'option', id: `template-${index}`, 'aria-selected': String(index === templates.at), click: () => takeTemplate(one),
      pointermove: () => { if (templates.at !== index) { templates.at = index; markTemplate(); } } },
      h('span', { class: 'template-name' }, `/${one.name}`), h('span', { class: 'template-title' }, one.title),
      one.shared ? h('span', { class: 'tag' }, word('template_shared_mark')) : null)));
  box.replaceChildren(templates.shown.length ? list : h('p', { class: 'side-none' }, word('templates_none')),
    h('button', { type: 'button', class: 'plain', click: () => { closeTemplates(); manageTemplates(); } }, word('templates_manage')));
  box.hidden = false;
  $('#question').setAttribute('aria-expanded', 'true');
  $('#question').setAttribute('aria-controls', templates.shown.length ? 'template-list' : 'templates');
  announce(word('templates_count', { n: templates.shown.length }));
  markTemplate();
}

function markTemplate() {
  $$('#templates [role=option]').forEach((node, index) => node.setAttribute('aria-selected', String(index === templates.at)));
  const chosen = $(`#template-${templates.at}`);
  chosen?.scrollIntoView({ block: 'nearest' });
  if (chosen) $('#question').setAttribute('aria-activedescendant', chosen.id);
  else $('#question').removeAttribute('aria-activedescendant');
}

function closeTemplates() {
  const box = $('#templates');
  if (box.hidden) return;
  box.hidden = true;
  $('#question').setAttribute('aria-expanded', 'false');
  $('#question').removeAttribute('aria-activedescendant');
}

// Returns whether the key was the list's.
function templatesKey(event) {
  if ($('#templates').hidden) {
    if (!templates.coming || event.key !== 'Enter' || event.shiftKey || commandIn(event.target) === undefined) return false;
    templates.entered = event.target.value; // the list is on its way: a name is no question
    event.preventDefault();
    return true;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && templates.shown.length) {
    templates.at = (templates.at + step + templates.shown.length) % templates.shown.length;
    markTemplate();
  } else if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey && templates.at >= 0) takeTemplate(templates.shown[templates.at]);
  else if (event.key === 'Escape') { event.stopPropagation(); closeTemplates(); } else return false;
  event.preventDefault();
  return true;
}

function takeTemplate(one) {
  closeTemplates();
  if (one.variables.length || one.examples?.length) fillTemplate(one);
  else { setQuestion(one.text); showExamples(null); }
}

// The template whose examples go with the next question: said beside the input, and taken away there.
const shown = { template: null };
function showExamples(one) {
  shown.template = one?.examples?.length ? one : null;
  const box = $('#shown-examples');
  box.hidden = !shown.template;
  if (!shown.template) { box.replaceChildren(); return; }
  const said = word('template_examples_shown', { name: one.name, n: one.examples.length });
  box.title = word('template_examples_hint');
  box.replaceChildren(h('span', {}, said), iconButton('close', word('template_examples_drop'), () => { showExamples(null); $('#question').focus(); }));
  announce(`${said}. ${word('template_examples_hint')}`);
}

function fillTemplate(one) {
  const fields = one.variables.map((name, index) => h('div', { class: 'field' },
    h('label', { for: `variable-${index}` }, name), h('textarea', { id: `variable-${index}`, name, rows: '1', maxlength: '1000', required: true })));
  const examples = (one.examples || []).map(({ question, answer }) => h('div', { class: 'example' }, h('p', {}, h('strong', {}, question)), h('p', {}, answer)));
  const form = h('form', {}, h('p', { class: 'template-text' }, one.text), fields,
    examples.length ? h('details', { class: 'near' }, h('summary', {}, word('template_examples')), examples) : null,
    examples.length ? h('p', { class: 'fine' }, word('template_examples_hint')) : null,
    h('div', { class: 'box-foot' }, h('button', { type: 'submit', class: 'primary' }, word('template_use'))));
  submits(form, async () => {
    const values = Object.fromEntries($$('textarea', form).map((field) => [field.name, field.value.trim()]));
    try {
      const made = await api(`/api/templates/${encodeURIComponent(one.id)}/render`, { method: 'POST', body: { values } });
      if (!dialog.open) return; // given up: the person may be writing something else
      dialog.close();
      setQuestion(made.text);
      showExamples(one);
    } catch (error) { failed(error); }
  });
  const dialog = openDialog(word('template_fill', { title: one.title }), form, { id: 'template-fill' });
  $('textarea, button[type=submit]', form)?.focus();
}
