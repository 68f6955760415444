// Runs once, as js_on_load of the conversation: `element` is its root, `trigger` sends an event to Python.
const actions = {
  sample: (button) => trigger('sample', { question: button.dataset.question }),
  retry: () => trigger('retry', {}),
  cite: (button) => trigger('cite', { exchange: Number(button.dataset.exchange), number: Number(button.dataset.number) }),
  copy: (button) => copyAnswer(button),
};

element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-act]');
  if (button && actions[button.dataset.act]) actions[button.dataset.act](button);
});

async function copyAnswer(button) {
  const source = button.closest('.answer').querySelector('[data-copy]').cloneNode(true);
  source.querySelectorAll('.cite').forEach((cite) => cite.replaceWith(`[${cite.textContent}]`));
  const holder = document.createElement('div');
  holder.style.cssText = 'position:fixed;left:-9999px;white-space:pre-wrap';
  holder.append(source);
  document.body.append(holder);
  const text = holder.innerText.trim();
  holder.remove();
  if (navigator.clipboard && window.isSecureContext) await navigator.clipboard.writeText(text);
  else copyWithoutClipboard(text); // http:// inside a closed network is no secure context
  const label = button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = label; }, 1500);
}

function copyWithoutClipboard(text) {
  const area = document.createElement('textarea');
  area.value = text;
  area.style.cssText = 'position:fixed;left:-9999px';
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

const input = () => document.querySelector('#question textarea');
const isTyping = (node) => node && (node.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(node.tagName));

// Capturing, so that Gradio's own Enter and Shift+Enter (which both send) never see the key.
document.addEventListener('keydown', (event) => {
  if (event.key === '/' && !isTyping(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    input()?.focus();
  } else if (event.key === 'Escape') {
    document.querySelector('#panel [data-act=close]')?.click();
  } else if (event.key === 'Enter' && event.target === input()) {
    if (event.isComposing || event.keyCode === 229) return; // Enter that ends a Hangul syllable is not a send
    event.stopImmediatePropagation();
    if (event.shiftKey) return;
    event.preventDefault();
    document.querySelector('#send')?.click();
  }
}, true);
document.addEventListener('keypress', (event) => {
  if (event.key === 'Enter' && event.target === input()) event.stopImmediatePropagation();
}, true);

// Follow the answer while the reader is at the end; leave the reader alone anywhere else.
let follow = true;
const scroller = () => element.closest('#chat') || element;
scroller().addEventListener('scroll', () => {
  const box = scroller();
  follow = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
});
let turns = 0;
watch('value', () => {
  const count = element.querySelectorAll('.turn').length;
  if (count !== turns) follow = true;
  turns = count;
  if (follow) scroller().scrollTop = scroller().scrollHeight;
});
