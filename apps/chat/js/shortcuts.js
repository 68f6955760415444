// Keyboard shortcuts. None fires while Hangul is being composed; single letters never in an input or a dialog.
const COMMAND = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘' : 'Ctrl';
const SHORTCUTS = [
  [`${COMMAND} + Shift + O`, 'keys_new'],
  ['/', 'keys_focus'],
  ['/', 'keys_templates'],
  ['Esc', 'keys_stop'],
  [`${COMMAND} + Shift + E`, 'keys_export'],
  [`${COMMAND} + Shift + X`, 'keys_forget'],
  [`${COMMAND} + Shift + S`, 'keys_sidebar'],
  ['?', 'keys_help'],
];

function openHelp() {
  const rows = SHORTCUTS.map(([keys, name]) => h('tr', {}, h('th', { scope: 'row' }, keys.split(' + ').flatMap((key, index) => [index ? ' + ' : '', h('kbd', {}, key)])), h('td', {}, word(name))));
  openDialog(word('help'), [h('p', {}, word('help_more')), h('h3', {}, word('shortcuts')), h('table', { class: 'keys' }, h('tbody', {}, rows))], { id: 'help-box' });
}
actions.help = openHelp;

function exportSession() {
  if (!state.session) return;
  const link = h('a', { href: exportAddress(state.session, 'markdown'), download: true, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
}

async function forgetMemory() {
  const { session } = state;
  if (!session) return;
  if (!await confirmed(word('forget_ask'), word('forget_more'), word('forget_do'), { danger: false })) return;
  try {
    await api(`/api/sessions/${encodeURIComponent(session)}/memory`, { method: 'DELETE' });
    toast(word('forgotten'));
  } catch (error) { failed(error); }
}

const CHORDS = { KeyO: newChat, KeyE: exportSession, KeyX: forgetMemory, KeyS: () => actions['toggle-sidebar']() };

document.addEventListener('keydown', (event) => {
  if (isComposing(event) || event.defaultPrevented) return;
  const inDialog = Boolean($('dialog[open]'));
  if ((event.ctrlKey || event.metaKey) && event.shiftKey && !event.altKey && CHORDS[event.code]) {
    if (inDialog || (isTyping(event.target) && event.target.id !== 'question')) return;
    event.preventDefault();
    CHORDS[event.code]();
    return;
  }
  if (event.key === 'Escape' && !inDialog) {
    if (openMenu) closeMenu();
    else if (pending()) stopAnswer();
    else if ($('#panel .passage')) closePanel();
    else if (narrow.matches && sidebarIsShown()) sidebarShown(false);
    return;
  }
  if (inDialog || openMenu || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === '/') { event.preventDefault(); $('#question').focus(); }
  if (event.key === '?') { event.preventDefault(); openHelp(); }
});
