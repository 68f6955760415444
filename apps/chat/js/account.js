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
  $('#account').setAttribute('aria-label', `${word('account')}: ${name}`);
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
      trigger('open', { session: state.session, language });
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
  const list = h('div', {});
  openDialog(word('api_keys'), list, { id: 'key-box', wide: true });
  await listKeys(list);
}

async function listKeys(list, fresh = null) {
  let keys;
  try { keys = (await api('/api/auth/keys')).items; } catch (error) { failed(error); return; }
  const name = h('input', { name: 'key', required: true, maxlength: '100', autocomplete: 'off' });
  const form = h('form', { class: 'inline' }, field(word('key_name'), name), h('button', { type: 'submit', class: 'primary' }, word('key_make')));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try { await listKeys(list, await api('/api/auth/keys', { method: 'POST', body: { name: name.value.trim() } })); } catch (error) { failed(error); }
  });
  const secret = fresh?.secret;
  list.replaceChildren(h('p', { class: 'fine' }, word('keys_more', { address: `${location.origin}/v1` })),
    secret ? h('div', { class: 'secret', role: 'status' }, h('p', {}, word('key_once')), h('code', {}, secret),
      h('button', { type: 'button', class: 'plain', click: (event) => copied(event.currentTarget, secret) }, word('copy'))) : '',
    form,
    keys.length ? h('ul', { class: 'items' }, keys.map((key) => h('li', { class: 'item' },
      h('span', { class: 'item-main' }, h('span', { class: 'file-name' }, key.name),
        h('span', { class: 'file-state' }, new Date(key.created_at).toLocaleDateString(state.language === 'ko' ? 'ko-KR' : 'en-GB'))),
      iconButton('delete', word('key_delete', { name: key.name }), async () => {
        try { await api(`/api/auth/keys/${encodeURIComponent(key.id)}`, { method: 'DELETE' }); } catch (error) { failed(error); }
        await listKeys(list);
      })))) : h('p', { class: 'side-none' }, word('keys_none')));
  if (!secret) name.focus();
}

// What runs behind the chat, each from its own route: one that is away leaves the others.
actions.gear = async () => {
  const facts = h('dl', { class: 'facts gear' }, h('dt', {}, '…'));
  const link = settings.dashboard
    ? h('p', {}, h('a', { href: settings.dashboard, class: 'download', target: '_blank', rel: 'noopener' }, word('gear_dashboard'))) : '';
  openDialog(word('gear'), [facts, link], { id: 'gear-box' });
  const ask1 = (path) => api(path).catch(() => null);
  const [corpus, models, retrieval, health] = await Promise.all(['/api/corpus', '/api/models', '/api/retrieval', '/api/health'].map(ask1));
  facts.replaceChildren(...gearFacts(corpus, models, retrieval, health).flatMap(([label, text]) => [h('dt', {}, label), h('dd', {}, text || word('gear_none'))]));
};

function gearFacts(corpus, models, retrieval, health) {
  const counts = (found) => Object.entries(found || {}).map(([name, n]) => `${name} ${n}`).join(', ');
  const when = (moment) => (moment ? new Date(moment).toLocaleString(state.language === 'ko' ? 'ko-KR' : 'en-GB') : '');
  const total = corpus && (corpus.documents ?? Object.values(corpus.by_status || corpus.status || {}).reduce((sum, n) => sum + n, 0));
  return [
    [word('gear_documents'), corpus ? `${total} (${counts(corpus.by_status || corpus.status)})` : ''],
    [word('gear_chunks'), corpus ? String(corpus.chunks ?? '') : ''],
    [word('gear_fresh'), when(corpus?.indexed_at || corpus?.freshness || corpus?.updated_at)],
    [word('gear_model'), servedName(models)],
    [word('gear_retrieval'), retrieval?.served?.id || retrieval?.id || ''],
    [word('gear_health'), (health?.parts || []).map((part) => `${part.name}: ${part.status}`).join(', ')],
  ];
}
const servedName = (models) => models?.served?.name || models?.served?.model || (typeof models?.served === 'string' ? models.served : '') || models?.model || '';
