// Who is signed in, and what belongs to the account: language, theme, password, keys; for engineers what is running.
async function loadAccount() {
  try { state.me = await api('/api/auth/me'); } catch (error) { if (error.status) failed(error); return; }
  showAccount();
  const gear = $('#top [data-act=gear]');
  if (gear) gear.hidden = !state.me.permissions?.includes('corpus.read');
}

function showAccount() {
  const { me } = state;
  if (!me || !$('#account')) return;
  const name = me.display_name || me.name;
  $('#account .avatar').textContent = [...name][0] || '·';
  $('#account .who').replaceChildren(h('strong', {}, name), h('span', {}, `${me.tenant} · ${word(`role_${me.role}`)}`));
}

function choices(label, options, chosen, choose) {
  return h('div', { role: 'group', 'aria-label': label, class: 'menu-choice' }, h('span', { class: 'menu-label', 'aria-hidden': 'true' }, label),
    options.map(([value, text]) => h('button', { type: 'button', role: 'menuitemradio', tabindex: '-1', 'aria-checked': String(value === chosen),
      click: () => { closeMenu(); choose(value); $('#account').focus(); } }, text)));
}

actions.account = (button) => {
  const single = state.me?.mode === 'single';
  showMenu(button, [
    state.me?.notice ? [h('p', { class: 'menu-note' }, state.me.notice)] : null,
    [choices(word('language'), [['ko', '한국어'], ['en', 'English']], state.language, (language) => {
      chooseLanguage(language);
      reopen();
      closePanel();
    })],
    [choices(word('theme'), ['auto', 'light', 'dark'].map((theme) => [theme, word(`theme_${theme}`)]), recall('theme') || 'auto', chooseTheme)],
    [word('templates'), manageTemplates],
    single ? null : [word('api_keys'), openKeys],
    state.me?.has_password ? [word('password'), `/sign-in?change=1&next=${encodeURIComponent(location.pathname + location.search)}`] : null,
    [word('help'), openHelp],
    single ? null : [word('sign_out'), signOut],
  ], word('account'));
};

async function signOut() {
  try {
    const away = await api('/api/auth/sign-out', { method: 'POST', body: {} });
    location.assign(away?.next || '/sign-in');
  } catch (error) { failed(error); }
}

async function openKeys() {
  const name = h('input', { name: 'key', required: true, maxlength: '100', autocomplete: 'off' });
  const form = h('form', { class: 'inline' }, field(word('key_name'), name), h('button', { type: 'submit', class: 'primary' }, word('key_make')));
  const made = h('div', {}); // apart from the list: a secret is shown once, whatever is loaded anew
  const list = h('div', {});
  submits(form, async () => {
    try {
      const { secret } = await api('/api/auth/keys', { method: 'POST', body: { name: name.value.trim() } });
      name.value = '';
      made.replaceChildren(h('div', { class: 'secret', role: 'status' }, h('p', {}, word('key_once')), h('code', {}, secret),
        h('button', { type: 'button', class: 'plain', click: (event) => copied(event.currentTarget, secret) }, word('copy'))));
      await listKeys(list);
    } catch (error) { failed(error); }
  });
  openDialog(word('api_keys'), [h('p', { class: 'fine' }, word('keys_more', { address: `${location.origin}/v1` })), made, form, list],
    { id: 'key-box', wide: true });
  name.focus();
  await listKeys(list);
}

const lastKeys = lastOf();
async function listKeys(list) {
  let found;
  try { found = await lastKeys('/api/auth/keys'); } catch (error) { failed(error); return; }
  refill(list, found.items.length ? h('ul', { class: 'items' }, found.items.map((key) => h('li', { class: 'item', 'data-key': key.id },
    h('span', { class: 'item-main' }, h('span', { class: 'file-name' }, key.name),
      h('span', { class: 'file-state' }, new Date(key.created_at).toLocaleDateString(state.language === 'ko' ? 'ko-KR' : 'en-GB'))),
    iconButton('delete', word('key_delete', { name: key.name }), (event) => once(event.currentTarget, async () => {
      try { await api(`/api/auth/keys/${encodeURIComponent(key.id)}`, { method: 'DELETE' }); } catch (error) { failed(error); }
      await listKeys(list);
    }))))) : h('p', { class: 'side-none' }, word('keys_none')));
}

// What runs behind the chat, each from its own route: one that is slow or away keeps nothing else waiting.
actions.gear = () => {
  const facts = h('dl', { class: 'facts gear' });
  const fact = (name) => {
    const value = h('dd', {}, '…');
    facts.append(h('dt', {}, word(name)), value);
    return (text) => { value.textContent = text || word('gear_none'); };
  };
  const parts = GEAR.map(([path, names, read]) => [path, names.map(fact), read]);
  const link = settings.dashboard
    ? h('p', {}, h('a', { href: settings.dashboard, class: 'download', target: '_blank', rel: 'noopener' }, word('gear_dashboard'))) : '';
  openDialog(word('gear'), [facts, link], { id: 'gear-box' });
  for (const [path, tells, read] of parts) {
    api(path).then(read, () => []).then((texts) => tells.forEach((tell, index) => tell(texts[index])));
  }
};

const counts = (found) => Object.entries(found).map(([name, n]) => `${name} ${n}`).join(', ');
const moment = (text) => (text ? new Date(text).toLocaleString(state.language === 'ko' ? 'ko-KR' : 'en-GB') : '');
const GEAR = [
  ['/api/corpus', ['gear_documents', 'gear_chunks', 'gear_fresh'], (corpus) => [
    `${corpus.documents} (${counts(corpus.by_status)})`, String(corpus.chunks),
    [moment(corpus.newest_at), corpus.waiting ? word('gear_waiting', { n: corpus.waiting }) : ''].filter(Boolean).join(' · ')]],
  ['/api/models', ['gear_model'], (models) => [models.served ? models.served.model : word('gear_no_model')]],
  ['/api/retrieval', ['gear_retrieval'], (retrieval) => [[retrieval.served.label, retrieval.served.id].filter(Boolean).join(' · ')]],
  ['/api/health', ['gear_health'], (health) => [health.status === 'ok' ? word('gear_ok')
    : health.parts.filter((part) => part.status !== 'ok').map((part) => `${part.name}: ${part.detail} ${part.remedy}`).join('\n')]],
];
