// Dialogs and menus. A dialog is the browser's own: it holds the focus, closes on Escape and gives the focus back.
function openDialog(title, content, { id = '', wide = false } = {}) {
  $$('dialog.box').forEach((open) => { open.close(); open.remove(); }); // its ids are those of the new one
  const heading = h('h2', { id: 'dialog-title' }, title);
  const close = iconButton('close', word('close'), () => dialog.close());
  const dialog = h('dialog', { class: `box${wide ? ' wide' : ''}`, id, 'aria-labelledby': 'dialog-title' },
    h('div', { class: 'box-head' }, heading, close), h('div', { class: 'box-body' }, content));
  const opener = document.activeElement;
  dialog.addEventListener('close', () => { dialog.remove(); focusBack(opener); });
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// A dialog says that it closed some time after it did: who went elsewhere meanwhile stays there.
function focusBack(opener, ...from) {
  const at = document.activeElement;
  if (opener?.isConnected && (!at || at === document.body || from.some((one) => one?.contains(at)))) opener.focus();
}

// Resolves to whether the person said yes.
function confirmed(question, more, yes, { danger = true } = {}) {
  return new Promise((resolve) => {
    let said = false;
    const opener = document.activeElement;
    const answer = (value) => () => { said = value; dialog.close(); };
    const dialog = h('dialog', { class: 'box confirm', role: 'alertdialog', 'aria-labelledby': 'confirm-title', 'aria-describedby': 'confirm-more' },
      h('h2', { id: 'confirm-title' }, question), h('p', { id: 'confirm-more' }, more),
      h('div', { class: 'box-foot' },
        h('button', { type: 'button', class: 'plain', click: answer(false), autofocus: true }, word('cancel')),
        h('button', { type: 'button', class: danger ? 'danger' : 'primary', id: 'confirm-yes', click: answer(true) }, yes)));
    dialog.addEventListener('close', () => { dialog.remove(); focusBack(opener); resolve(said); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

// A menu beside its button: arrows move, Escape and a click elsewhere close. Items are [label, what it does | address, download?].
let openMenu = null;
function closeMenu() { openMenu?.(); }
function showMenu(button, items, label) {
  const again = openMenu && button.getAttribute('aria-expanded') === 'true';
  closeMenu();
  if (again) return;
  const entry = ([text, act, more = {}]) => typeof act === 'string'
    ? h('a', { role: 'menuitem', href: act, tabindex: '-1', ...more }, text)
    : act ? h('button', { type: 'button', role: 'menuitem', tabindex: '-1', click: () => { done(); act(); }, ...more }, text)
      : text;
  const menu = h('div', { class: 'menu', role: 'menu', 'aria-label': label }, items.filter(Boolean).map(entry));
  const entries = () => $$('[role^=menuitem]', menu);
  function done(focus = true) {
    menu.remove();
    button.setAttribute('aria-expanded', 'false');
    document.removeEventListener('pointerdown', outside, true);
    openMenu = null;
    if (focus && button.isConnected) button.focus();
  }
  function outside(event) { if (!menu.contains(event.target) && !button.contains(event.target)) done(false); }
  menu.addEventListener('keydown', (event) => {
    const all = entries();
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) { event.preventDefault(); all[(to + all.length) % all.length].focus(); }
    if (event.key === 'Escape' || event.key === 'Tab') { event.preventDefault(); event.stopPropagation(); done(); }
  });
  menu.addEventListener('click', (event) => { if (event.target.closest('a')) setTimeout(() => done(), 0); });
  document.addEventListener('pointerdown', outside, true);
  openMenu = () => done(false);
  document.body.append(menu);
  const place = button.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(place.left, innerWidth - size.width - 8))}px`;
  const below = place.bottom + 4 + size.height < innerHeight;
  menu.style.top = `${Math.max(8, below ? place.bottom + 4 : place.top - size.height - 4)}px`;
  button.setAttribute('aria-expanded', 'true');
  entries()[0]?.focus();
}
