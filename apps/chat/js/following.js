// Follow the answer while the reader is at the end; leave the reader alone anywhere else.
// Parts change one after the other: the written answer goes before the finished one has come. Its place is held meanwhile, since where
// the conversation ends higher up the browser moves the reader. Where it does, it is no move of theirs: they follow on, or are taken back.
const scroller = () => $('#scroll');
let follow = true;
let readAt = 0; // where who does not follow reads
let cut = false; // that place is gone for now
let seen = { top: 0, height: 0 };
let touched = -9999; // when something in the conversation was pressed
let moving = -9999; // when the reader last did what scrolls
const roomUnder = (box) => box.scrollHeight - box.scrollTop - box.clientHeight;

function look() {
  const box = scroller();
  cut ||= box.scrollHeight - box.clientHeight < readAt - 1;
  seen = { top: box.scrollTop, height: box.scrollHeight };
}

function toEnd() {
  const box = scroller();
  if (follow) box.scrollTop = box.scrollHeight;
  look();
}

let written = { question: '', height: 0 };
let holding = 0;
function noteWritten() {
  const turn = $('#live .turn');
  if (turn) written = { question: turn.dataset.question, height: $('#live').offsetHeight };
}
function holdPlace() {
  if (!written.question || $(`#chat .turn[data-question="${CSS.escape(written.question)}"]`)) return;
  $('#live').style.minHeight = `${written.height}px`;
  clearTimeout(holding);
  holding = setTimeout(letGo, 1000);
}
function letGo() { $('#live').style.minHeight = ''; toEnd(); }

document.addEventListener('scroll', (event) => {
  const box = event.target;
  if (box.id !== 'scroll') return;
  const up = box.scrollTop < seen.top;
  if (up && box.scrollHeight !== seen.height && performance.now() - moving > 1500) cut = true;
  else if (box.scrollTop !== seen.top) {
    if (up) follow = roomUnder(box) < 2;
    else if (roomUnder(box) < 80) follow = true;
    readAt = box.scrollTop;
    cut = false;
  }
  look();
}, true);

for (const name of ['wheel', 'touchmove', 'pointerdown', 'pointermove', 'keydown']) {
  document.addEventListener(name, (event) => {
    if (name === 'pointermove' && !event.buttons) return;
    moving = performance.now();
    if (['pointerdown', 'keydown'].includes(name) && event.target.closest?.('#scroll')) touched = moving;
  }, { capture: true, passive: true });
}

// What loads late, or is opened, changes heights without a word.
function followHeights() {
  const watcher = new ResizeObserver(() => {
    const box = scroller();
    noteWritten();
    look();
    if (!follow && cut && box.scrollHeight - box.clientHeight >= readAt - 1) { box.scrollTop = readAt; cut = false; }
    if (follow && performance.now() - touched < 600) follow = roomUnder(box) < 80; // the reader looks at what they have opened
    toEnd();
  });
  for (const name of ['#scroll', '#chat', '#live']) watcher.observe($(name));
}
