// Lists that are shown anew while a person uses them.
const ROW = '[data-session], [data-document], [data-key]';
const keyOf = (row) => row && (row.dataset.session ?? row.dataset.document ?? row.dataset.key);
const filled = new WeakMap(); // list -> what it was filled with
const waiting = new Map(); // list -> what it is filled with once the pointer is released
let pressed = null;

// What has not changed stays, and what the pointer is pressed on stays until it is released: its click would be lost.
// The focus stays on what it was on.
function refill(box, ...children) {
  const fresh = h('div', {}, ...children);
  const html = fresh.innerHTML;
  waiting.delete(box);
  if (filled.get(box) === html) return;
  if (pressed && box.contains(pressed)) { waiting.set(box, [...fresh.childNodes]); return; }
  filled.set(box, html);
  const at = box.contains(document.activeElement) ? document.activeElement : null;
  const key = keyOf(at?.closest(ROW));
  box.replaceChildren(...fresh.childNodes);
  const row = key !== undefined && $$(ROW, box).find((one) => keyOf(one) === key);
  if (row) ($$('button', row).find((one) => one.className === at.className) || $('button', row))?.focus();
}

// A part of the list was changed by other means: the next time it is filled, whatever with.
function refilled(box) { filled.delete(box); }

document.addEventListener('pointerdown', (event) => { pressed = event.target; }, true);
document.addEventListener('click', () => { pressed = null; }, true); // what it does may fill the list
for (const name of ['pointerup', 'pointercancel']) {
  document.addEventListener(name, () => setTimeout(() => { // after the click, which a finger makes a little later
    pressed = null;
    for (const [box, children] of [...waiting]) refill(box, ...children);
  }, 50), true);
}
