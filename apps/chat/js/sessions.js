// The list of chats, and the address that says which one is open.
const sessions = { items: [], total: 0, search: '', limit: 40 };

function sessionInAddress() { return new URLSearchParams(location.search).get('session') || ''; }

function setAddress(session, push) {
  const address = new URL(location.href);
  if (session) address.searchParams.set('session', session);
  else address.searchParams.delete('session');
  if (address.href !== location.href) history[push ? 'pushState' : 'replaceState'](push ? {} : history.state, '', address);
  else if (push && !session) history.replaceState({}, ''); // a new chat begins without what was chosen in this one
}

const lastSessions = lastOf();
async function loadSessions() {
  const query = new URLSearchParams({ limit: sessions.limit, ...(sessions.search ? { search: sessions.search } : {}) });
  try {
    const found = await lastSessions(`/api/sessions?${query}`);
    sessions.items = found.items;
    sessions.total = found.total;
    showSessions();
    showTitle();
  } catch (error) { if (error.status) failed(error); }
}

function age(moment) {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  const days = (midnight - new Date(moment)) / 86400000;
  return days <= 0 ? 'today' : days <= 1 ? 'yesterday' : days <= 7 ? 'week' : 'earlier';
}

function showSessions() {
  const list = $('#sessions');
  if (!list || list.querySelector('.side-rename')) return; // a name is being typed: leave it alone
  const groups = [];
  for (const one of sessions.items) {
    const name = age(one.updated_at);
    if (groups.at(-1)?.name !== name) groups.push({ name, items: [] });
    groups.at(-1).items.push(one);
  }
  refill(list,
    ...groups.map(({ name, items }) => h('section', { 'aria-label': word(name) },
      h('h2', { class: 'side-age' }, word(name)), h('ul', {}, items.map(sessionItem)))),
    ...(sessions.items.length ? [] : [h('p', { class: 'side-none' }, word(sessions.search ? 'no_chats_found' : 'no_chats'))]),
    ...(sessions.total > sessions.items.length && sessions.limit < 200 ? [h('button', { type: 'button', class: 'side-more', click: more }, word('more_chats'))] : []),
  );
}

function more() { sessions.limit = Math.min(200, sessions.limit + 40); loadSessions(); }

function sessionItem(one) {
  const title = one.title || word('untitled');
  const current = one.id === state.session;
  return h('li', { 'data-session': one.id, class: current ? 'current' : '' },
    h('button', { type: 'button', class: 'side-open', title, 'aria-current': current ? 'page' : null, click: () => openSession(one.id) }, title),
    iconButton('more', word('chat_menu', { title }), (event) => sessionMenu(event.currentTarget, one), { 'aria-haspopup': 'menu', 'aria-expanded': 'false' }));
}

function exportAddress(id, format) { return `/api/sessions/${encodeURIComponent(id)}/export?format=${format}`; }

function sessionMenu(button, one) {
  showMenu(button, [
    [word('rename'), () => renameInline(one)],
    [word('export_markdown'), exportAddress(one.id, 'markdown'), { download: true }],
    [word('export_json'), exportAddress(one.id, 'json'), { download: true }],
    [word('delete'), () => deleteSession(one), { class: 'danger' }],
  ], word('chat_menu', { title: one.title || word('untitled') }));
}

function renameInline(one) {
  const item = $(`#sessions [data-session="${CSS.escape(one.id)}"]`);
  if (!item) return;
  const input = h('input', { class: 'side-rename', 'aria-label': word('rename_label'), maxlength: '200' });
  input.value = one.title;
  let over = false;
  const end = async (keep, byKey = true) => {
    if (over) return;
    over = true;
    const title = input.value.trim();
    const renamed = keep && title && title !== one.title;
    const shown = { ...one, title: renamed ? title : one.title };
    for (const other of sessions.items) if (other.id === one.id) other.title = shown.title;
    item.replaceChildren(...sessionItem(shown).childNodes); // alone: the pointer may be down on another one
    refilled($('#sessions'));
    if (byKey) $('.side-open', item).focus(); // at once: later the person may be elsewhere
    if (renamed) {
      try {
        await api(`/api/sessions/${encodeURIComponent(one.id)}`, { method: 'PATCH', body: { title } });
        toast(word('renamed'));
      } catch (error) { failed(error); }
    }
    await loadSessions();
  };
  input.addEventListener('keydown', (event) => {
    if (isComposing(event)) return;
    if (event.key === 'Enter') { event.preventDefault(); end(true); }
    if (event.key === 'Escape') { event.stopPropagation(); end(false); }
  });
  input.addEventListener('blur', () => end(true, false));
  item.replaceChildren(input);
  input.focus();
  input.select();
}

async function deleteSession(one) {
  const title = one.title || word('untitled');
  if (!await confirmed(word('delete_chat'), word('delete_chat_more', { title }), word('delete'))) return;
  try {
    if (one.id === state.session) trigger('stop', { session: one.id });
    await api(`/api/sessions/${encodeURIComponent(one.id)}`, { method: 'DELETE' });
    toast(word('deleted'));
    if (one.id === state.session) openSession('');
  } catch (error) { failed(error); }
  await loadSessions();
  focusBack($('#question'), state.session ? null : $('#sessions'));
}

function openSession(id, { push = true } = {}) {
  if (id !== state.session) state.busy = false;
  const other = id !== state.session || (push && !id);
  state.session = id;
  setAddress(id, push);
  if (other) leaveChosen(id);
  closePanel();
  hideSidebarOnPhone();
  show('open', { session: id, language: state.language });
  const root = $('[data-session]', element);
  if (other && id && root?.dataset.session === id) chooseAsBefore(narrowedTo(root)); // it stands there still: no other value will come
  showSessions();
  showTitle();
}

function newChat() {
  openSession('');
  $('#question')?.focus();
}

function showTitle() {
  const box = $('#title');
  if (!box) return;
  const known = sessions.items.find((one) => one.id === state.session)?.title;
  const told = element.querySelector(`[data-session="${CSS.escape(state.session)}"]`)?.dataset.title;
  box.textContent = state.session ? known || told || word('untitled') : word('new_chat');
}

// The sidebar: a column on a desk, a drawer on a phone.
const narrow = matchMedia('(max-width: 900px)');
function sidebarShown(shown) {
  document.body.classList.toggle('side-hidden', !shown);
  if (!narrow.matches) remember('sidebar', shown ? 'shown' : 'hidden');
  for (const button of $$('[data-act=toggle-sidebar].icon-button')) button.setAttribute('aria-expanded', String(shown));
  const side = $('#sidebar');
  if (side) side.inert = !shown;
}
const sidebarIsShown = () => !document.body.classList.contains('side-hidden');
function hideSidebarOnPhone() { if (narrow.matches) sidebarShown(false); }
function placeSidebar() { sidebarShown(!narrow.matches && recall('sidebar') !== 'hidden'); }
narrow.addEventListener('change', placeSidebar);

actions['toggle-sidebar'] = () => {
  const show = !sidebarIsShown();
  sidebarShown(show);
  $(show ? '#search' : '#top [data-act=toggle-sidebar]')?.focus({ preventScroll: true });
};
actions.new = newChat;

let searchTimer = 0;
document.addEventListener('input', (event) => {
  if (event.target.id !== 'search') return;
  clearTimeout(searchTimer);
  searchTimer = setTimeout(() => { sessions.search = event.target.value.trim(); sessions.limit = 40; loadSessions(); }, 200);
});
addEventListener('popstate', () => openSession(sessionInAddress(), { push: false }));
