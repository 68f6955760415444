// Documents: files in one's own space, uploaded by button or by dropping them anywhere and followed until they can be asked about,
// and those that others share. Each that is ready can be chosen to ask about.
const files = { items: [], jobs: [], fresh: [], uploads: [], timer: 0, maxBytes: 0, shared: [], sharedTotal: 0, search: '', searchTimer: 0 };
const MEGABYTE = 1024 * 1024;

actions.files = () => openFiles();
actions.attach = () => { openFiles(); $('#file-input').click(); }; // at once: later the browser takes it for nobody's click

async function openFiles() {
  const input = h('input', { type: 'file', id: 'file-input', multiple: true, class: 'sr-only', tabindex: '-1', 'aria-hidden': 'true',
    change: (event) => { upload([...event.target.files]); event.target.value = ''; } });
  const list = h('div', { id: 'file-list', 'aria-live': 'polite' });
  const drop = h('div', { class: 'drop' },
    h('button', { type: 'button', class: 'primary', click: () => input.click() }, word('files_choose')), input, h('p', {}, word('files_drop')));
  const search = h('input', { type: 'search', id: 'shared-search', autocomplete: 'off', maxlength: '200', 'aria-label': word('shared_search'),
    placeholder: word('shared_search'), input: (event) => searchShared(event.target.value) });
  const shared = h('div', { id: 'shared-list', 'aria-live': 'polite' });
  const dialog = openDialog(word('files'), [h('h3', {}, word('files_own')), h('p', { class: 'fine' }, word('files_more')), drop, list,
    h('h3', {}, word('files_shared')), search, shared], { id: 'file-box', wide: true });
  dialog.addEventListener('close', () => { clearTimeout(files.timer); clearTimeout(files.searchTimer); });
  files.search = '';
  showFiles();
  loadShared();
  await loadFiles();
}

function searchShared(text) {
  clearTimeout(files.searchTimer);
  files.searchTimer = setTimeout(() => { files.search = text.trim(); loadShared(); }, 250);
}

const lastShared = lastOf();
async function loadShared() {
  try {
    const found = await lastShared(`/api/documents?${new URLSearchParams({ space: 'shared', status: 'ready', limit: '20', search: files.search })}`);
    if (!$('#shared-list')) return;
    files.shared = found.items;
    files.sharedTotal = found.total;
  } catch (error) { failed(error); return; }
  const rest = files.sharedTotal - files.shared.length;
  refill($('#shared-list'), files.shared.length ? h('ul', { class: 'items' }, files.shared.map(sharedRow)) : h('p', { class: 'side-none' }, word('shared_none')),
    ...(rest > 0 ? [h('p', { class: 'fine' }, word('shared_more', { n: rest }))] : []));
}

function sharedRow(one) {
  const title = one.title || one.name;
  return h('li', { class: 'item file', 'data-document': one.id },
    h('span', { class: 'item-main' }, h('span', { class: 'file-name' }, title), h('span', { class: 'file-state' }, one.source)), askButton(one.id, title));
}

const askButton = (id, title) =>
  h('button', { type: 'button', class: 'plain ask-about', 'aria-label': `${word('ask_document')}: ${title}`, click: () => askAbout(id, title) }, word('ask_document'));

const lastOwn = lastOf();
const lastJobs = lastOf();
async function loadFiles() {
  clearTimeout(files.timer);
  try {
    const [documents, jobs] = await Promise.all([lastOwn('/api/documents?space=own&limit=200'), lastJobs('/api/jobs?limit=100')]);
    files.items = documents.items;
    files.jobs = jobs.items;
    showFiles();
    lookAtFilesIn(1200);
  } catch (error) { failed(error); lookAtFilesIn(3000); }
}

// A look that failed is not the last one: what is being prepared is ready some time.
function lookAtFilesIn(milliseconds) {
  const moving = files.items.some((one) => ['pending', 'processing'].includes(one.status)) || files.uploads.some((one) => !one.problem);
  clearTimeout(files.timer);
  if (moving && $('#file-list')) files.timer = setTimeout(loadFiles, milliseconds);
}

function bytes(size) { return size < MEGABYTE ? `${Math.max(1, Math.round(size / 1024))} KB` : `${(size / MEGABYTE).toFixed(1)} MB`; }

function showFiles() {
  const list = $('#file-list');
  if (!list) return;
  const rows = [...files.uploads.map(uploadRow), ...files.items.map(fileRow)];
  refill(list, rows.length ? h('ul', { class: 'items' }, rows) : h('p', { class: 'side-none' }, word('files_none')));
}

function uploadRow(one) {
  const words = one.problem ? word('file_refused') : word('file_uploading', { percent: one.percent });
  return h('li', { class: 'item file', 'data-status': one.problem ? 'failed' : 'uploading' },
    h('span', { class: 'item-main' }, h('span', { class: 'file-name' }, one.name),
      h('span', { class: 'file-state' }, words), one.problem ? h('span', { class: 'file-reason' }, one.problem) : null),
    one.problem ? iconButton('close', `${word('close')}: ${one.name}`, () => { files.uploads = files.uploads.filter((other) => other !== one); showFiles(); })
      : h('progress', { max: '100', value: String(one.percent), 'aria-label': words }));
}

function fileRow(one) {
  const name = one.name || one.title || one.source;
  const job = files.jobs.find((other) => other.document_id === one.id && ['waiting', 'running'].includes(other.status));
  return h('li', { class: 'item file', 'data-status': one.status, 'data-document': one.id },
    h('span', { class: 'item-main' }, h('span', { class: 'file-name' }, name),
      h('span', { class: 'file-state' }, [word(`file_${one.status}`), job?.note, bytes(one.size)].filter(Boolean).join(' · ')),
      one.reason ? h('span', { class: 'file-reason' }, one.reason) : null),
    job ? h('progress', { max: '1', value: String(job.progress), 'aria-label': word(`file_${one.status}`) }) : null,
    one.status === 'ready' ? askButton(one.id, name) : null,
    iconButton('delete', word('file_delete', { title: name }), () => deleteFile(one, name)));
}

async function deleteFile(one, title) {
  if (!await confirmed(word('file_delete_ask'), word('file_delete_more', { title }), word('delete'))) return;
  try {
    await api(`/api/documents/${encodeURIComponent(one.id)}`, { method: 'DELETE' });
    toast(word('deleted'));
    for (const other of chosen.documents) other.gone ||= other.id === one.id;
    showChosen();
  } catch (error) { failed(error); }
  await loadFiles();
  focusBack($('#file-box .primary'));
}

async function upload(chosen) {
  files.fresh = []; // what a question may mean by "this document" where none is chosen
  for (const file of chosen) {
    const one = { name: file.name, percent: 0, problem: '' };
    files.uploads.unshift(one);
    showFiles();
    try {
      files.fresh.push((await send1(file, one)).document.id);
      files.uploads = files.uploads.filter((other) => other !== one);
    } catch (error) { one.problem = error.message; }
    await loadFiles();
  }
}

function justUploaded() {
  const failed = files.items.filter((one) => one.status === 'failed').map((one) => one.id);
  return files.fresh.filter((id) => !failed.includes(id)).slice(-20);
}

function send1(file, one) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/api/documents');
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('Accept-Language', state.language);
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) { one.percent = Math.round((100 * event.loaded) / event.total); showFiles(); }
    });
    request.addEventListener('load', () => {
      let found = null;
      try { found = JSON.parse(request.responseText); } catch { /* a proxy's page */ }
      if (request.status >= 200 && request.status < 300) { resolve(found); return; }
      if (request.status === 401) toSignIn();
      reject(new Error([found?.error, found?.next].filter(Boolean).join(' ') || word('failed')));
    });
    request.addEventListener('error', () => reject(new Error(word('file_network'))));
    const form = new FormData();
    form.append('file', file, file.name);
    request.send(form);
  });
}

// Files may be dropped anywhere on the page.
const carriesFiles = (event) => [...(event.dataTransfer?.types || [])].includes('Files');
let dragging = 0;
const showDrop = (shown) => document.body.classList.toggle('dropping', shown);
document.addEventListener('dragenter', (event) => { if (carriesFiles(event)) { dragging += 1; showDrop(true); } });
document.addEventListener('dragleave', (event) => { if (carriesFiles(event)) { dragging -= 1; if (dragging <= 0) showDrop(false); } });
document.addEventListener('dragover', (event) => { if (carriesFiles(event)) event.preventDefault(); });
document.addEventListener('drop', (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  dragging = 0;
  showDrop(false);
  const dropped = [...event.dataTransfer.files];
  if (!$('#file-box')) openFiles();
  upload(dropped);
});
